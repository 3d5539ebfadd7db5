import {
  type BtfClient,
  BtfError,
  type Caller,
  type FeatureStatus,
  type Role,
  type ServerInfo,
} from '@btfd/client';
import type { Colors } from '../output/colors.js';
import { printable } from '../output/safe-text.js';
import { grouped } from '../output/numbers.js';
import type { Session } from '../session/session.js';

/** info runs `btfctl info`. */
export async function info(session: Session): Promise<void> {
  const client = await session.client();
  const daemon = await client.serverInfo({ signal: session.requestSignal() });
  const build = await buildOf(client, session.requestSignal());
  const { address } = await session.target();
  await session.show({
    data: infoData(address, daemon, build),
    names: [address],
    text: () => infoText(address, daemon, build, session.colors),
  });
}

/** Returns the digests, or why the daemon cannot compute them. All else is shown even then. */
async function buildOf(client: BtfClient, signal: AbortSignal): Promise<ServerInfo['digests'] | BtfError> {
  try {
    return (await client.serverInfo({ details: ['digests'], signal })).digests;
  } catch (error) {
    if (BtfError.isBtfError(error)) return error;
    throw error;
  }
}

function buildText(build: ServerInfo['digests'] | BtfError): string {
  if (build === null) return 'unknown, because the daemon is too old';
  if (build instanceof BtfError) return `unknown: ${build.rawMessage}`;
  const modules = `${build.moduleCount} module${build.moduleCount === 1 ? '' : 's'}`;
  return `${build.kernel ?? 'without BTF'}, ${modules}`;
}

/** The permissions of each role. */
const ROLE_WORDS: Readonly<Record<Role, string>> = {
  viewer: "viewer: sees the kernel's own objects",
  inspector: 'inspector: sees all objects, and who uses them',
  loader: 'loader: sees all objects, and loads BTF',
  unknown: 'a role that this btfctl does not know',
};

function callerText({ principal, role }: Caller): string {
  return `${principal}, ${ROLE_WORDS[role]}`;
}

function featuresText(features: readonly FeatureStatus[]): string {
  if (features.length === 0) return 'unknown, because the daemon cannot load BTF';
  const missing = features.flatMap(({ feature, supported }) => (supported ? [] : [feature]));
  return `all ${features.length}${missing.length === 0 ? '' : ` but ${missing.join(', ')}`}`;
}

function infoText(
  address: string,
  daemon: ServerInfo,
  build: ServerInfo['digests'] | BtfError,
  colors: Colors,
): string {
  const { limits } = daemon;
  const bytes = (value: number): string => `${grouped(value)} bytes`;
  const rows: [string, string][] = [
    ['address', address],
    ['daemon', `btfd ${daemon.version}`],
    ['you', callerText(daemon.caller)],
    ...(daemon.nodeName === '' ? [] : [['node', daemon.nodeName] satisfies [string, string]]),
    ['kernel', `Linux ${daemon.kernelRelease} ${daemon.machine}`],
    ['BTF of kernel', buildText(build)],
    ['features', featuresText(daemon.features)],
    ['mode', daemon.mode],
    ...(daemon.btfDir === '' ? [] : [['BTF files', daemon.btfDir] satisfies [string, string]]),
    ['boot id', daemon.bootId],
    ['largest BTF', bytes(limits.maxBtfBytes)],
    [
      'leases',
      `${limits.defaultTtl / 1000} s by default, ${limits.minTtl / 1000} s to ${limits.maxTtl / 1000} s`,
    ],
  ];
  const operations = daemon.operations.map(({ operation, available, reason }) =>
    available
      ? `  ${colors.good('yes')}  ${operation}`
      : `  ${colors.bad('no')}   ${operation.padEnd(12)}  ${printable(reason)}`,
  );
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    ...rows.map(([name, value]) => `${colors.heading(name.padEnd(width))}  ${printable(value)}`),
    colors.heading('operations'),
    ...operations,
    '',
  ].join('\n');
}

function infoData(address: string, daemon: ServerInfo, build: ServerInfo['digests'] | BtfError): unknown {
  const { limits } = daemon;
  return {
    address,
    version: daemon.version,
    node_name: daemon.nodeName,
    kernel_release: daemon.kernelRelease,
    kernel_version: daemon.kernelVersion,
    ...(build === null || build instanceof BtfError
      ? {}
      : {
          ...(build.kernel === null ? {} : { kernel_digest: build.kernel }),
          modules_digest: build.modules,
          module_count: build.moduleCount,
        }),
    machine: daemon.machine,
    boot_id: daemon.bootId,
    daemon_epoch: daemon.daemonEpoch,
    mode: daemon.mode,
    btf_dir: daemon.btfDir,
    capabilities: { sys_admin: daemon.capabilities.sysAdmin, bpf: daemon.capabilities.bpf },
    operations: daemon.operations.map(({ operation, available, reason }) => ({
      operation,
      available,
      ...(available ? {} : { reason }),
    })),
    features: daemon.features,
    caller: daemon.caller,
    limits: {
      max_load_message_bytes: limits.maxLoadMessageBytes,
      max_message_bytes: limits.maxMessageBytes,
      max_btf_bytes: limits.maxBtfBytes,
      max_log_bytes: limits.maxLogBytes,
      min_ttl_ms: limits.minTtl,
      max_ttl_ms: limits.maxTtl,
      default_ttl_ms: limits.defaultTtl,
      max_held_per_stream: limits.maxHeldPerStream,
      hold_stall_timeout_ms: limits.holdStallTimeout,
      max_tokens: limits.maxTokens,
      max_types_bytes: limits.maxTypesBytes,
      max_c_bytes: limits.maxCBytes,
    },
  };
}
