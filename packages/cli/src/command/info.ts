import type { ServerInfo } from '@btfd/client';
import { Command } from 'commander';
import type { Colors } from '../output/colors.js';
import { printable } from '../terminal.js';
import type { Run } from '../run.js';

/** infoCommand is `btfctl info`. */
export function infoCommand(run: Run): Command {
  return new Command('info')
    .description('tell what the daemon is, what it can do, and why not the rest')
    .action(
      run(async (session) => {
        const info = await session.client().serverInfo({ signal: session.requestSignal() });
        const { address } = session.target;
        await session.show({
          data: infoData(address, info),
          names: [address],
          text: () => infoText(address, info, session.colors),
        });
      }),
    );
}

function infoText(address: string, info: ServerInfo, colors: Colors): string {
  const { limits } = info;
  const bytes = (value: number): string => `${value.toLocaleString('en-US')} bytes`;
  const rows: [string, string][] = [
    ['address', address],
    ['daemon', `btfd ${info.version}`],
    ['kernel', `Linux ${info.kernelRelease} ${info.machine}`],
    ['mode', info.mode],
    ...(info.btfDir === '' ? [] : [['BTF files', info.btfDir] satisfies [string, string]]),
    ['boot id', info.bootId],
    ['largest BTF', bytes(limits.maxBtfBytes)],
    ['leases', `${limits.defaultTtl / 1000} s, from ${limits.minTtl / 1000} to ${limits.maxTtl / 1000} s`],
  ];
  const operations = info.operations.map(({ operation, available, reason }) =>
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

function infoData(address: string, info: ServerInfo): unknown {
  const { limits } = info;
  return {
    address,
    version: info.version,
    kernel_release: info.kernelRelease,
    machine: info.machine,
    boot_id: info.bootId,
    daemon_epoch: info.daemonEpoch,
    mode: info.mode,
    btf_dir: info.btfDir,
    capabilities: { sys_admin: info.capabilities.sysAdmin, bpf: info.capabilities.bpf },
    operations: info.operations.map(({ operation, available, reason }) => ({
      operation,
      available,
      ...(available ? {} : { reason }),
    })),
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
    },
  };
}
