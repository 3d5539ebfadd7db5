import { Mode, Origin } from '@btfd/api';
import { surveyBtf } from '@btfd/btf';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { machine, release } from 'node:os';
import { dirname, join } from 'node:path';
import { toServiceError } from '../error/from-unknown.js';
import { unavailable } from '../kernel/unavailable.js';
import { originOf } from '../kernel/origin.js';
import type { ListedObject } from '../kernel/object-list.js';
import { openIfThere } from '../kernel/open-object.js';
import { formatAddress, type Address } from '../base/address.js';
import { printable } from '../base/text.js';
import type { Services } from '../rpc/services.js';

/** More rows than this do not fit a terminal. The rest is counted. */
const MAX_ROWS = 200;

const MODE_TEXT: Readonly<Record<Mode, string>> = {
  [Mode.UNSPECIFIED]: '',
  [Mode.FULL]: 'BTF can be loaded, listed and held',
  [Mode.LOAD_AND_FILES]: 'BTF can be loaded; the kernel’s own BTF is read from files',
  [Mode.FILES]: 'BTF is read from files; nothing can be loaded or held',
};

const ORIGIN_TEXT: Readonly<Record<Origin, string>> = {
  [Origin.UNSPECIFIED]: '',
  [Origin.VMLINUX]: 'vmlinux',
  [Origin.MODULE]: 'module',
  [Origin.KERNEL_OTHER]: 'kernel',
  [Origin.USER]: 'user',
};

const PACKAGE = dirname(createRequire(import.meta.url).resolve('#package.json'));
/** The command that runs `btfctl`. In a checkout it is not on the PATH. */
const BTFCTL = existsSync(join(PACKAGE, '../../pnpm-workspace.yaml')) ? 'npx --yes pnpm@12 btfctl' : 'btfctl';

/**
 * describeServed returns a text with the served objects, the addresses, and a command to try next.
 *
 * @param isTls whether TCP addresses are served with TLS.
 */
export async function describeServed(
  services: Services,
  addresses: readonly Address[],
  isTls: boolean,
): Promise<string> {
  const { access, version, files } = services;
  const rows = await objectRows(services);
  const refusals = unavailable(access);
  const status = refusals.length === 0 ? 'everything works' : MODE_TEXT[access.mode];
  return [
    `btfd ${version} on Linux ${release()} ${machine()}: ${status}`,
    ...refusals.map(({ what, why }) => `  not ${what}: ${why.message}`),
    '',
    ...(rows.length === 0 ? [`no BTF objects in ${files.dir}`] : table(rows)),
    '',
    ...addresses.map((address) => `listening on ${formatAddress(address)}`),
    ...hint(rows, addresses, isTls),
    '',
  ].join('\n');
}

/** Returns a command to try next, which works for a client on this machine that has a role. */
function hint(rows: readonly Row[], addresses: readonly Address[], isTls: boolean): string[] {
  // On a unix socket, this user needs nothing more.
  const address = addresses.find(({ kind }) => kind === 'unix') ?? addresses[0];
  if (address === undefined) return [];
  const command = rows.some(([, name]) => name === 'vmlinux') ? 'layout task_struct' : 'info';
  const tls =
    isTls && address.kind === 'tcp' ? ' --tls-ca CA.crt --tls-cert CLIENT.crt --tls-key CLIENT.key' : '';
  return [`try next: ${BTFCTL} ${command} --address ${formatAddress(reachable(address))}${tls}`];
}

/** Returns an address that clients on this machine can connect to: not 0.0.0.0, which is every address. */
function reachable(address: Address): Address {
  if (address.kind === 'unix' || !UNSPECIFIED_IP.test(address.host)) return address;
  return { ...address, host: 'localhost' };
}

/** Such as 0.0.0.0 and [::]. */
const UNSPECIFIED_IP = /^[0.:]+$/;

type Row = readonly [id: string, name: string, origin: string, size: string, types: string];

async function objectRows(services: Services): Promise<Row[]> {
  const rows: Row[] = [];
  let more = 0;
  for await (const info of services.objects.visit()) {
    const object = rows.length < MAX_ROWS && info.id > 0 ? openIfThere(services.kernel, info.id) : null;
    try {
      if (rows.length < MAX_ROWS) rows.push(await objectRow({ info, object }, services));
      else more += 1;
    } finally {
      object?.close();
    }
  }
  return more === 0 ? rows : [...rows, ['…', `and ${more} more`, '', '', '']];
}

async function objectRow({ info, object }: ListedObject, { files, specs }: Services): Promise<Row> {
  return [
    info.id === 0 ? '-' : String(info.id),
    info.name === '' ? '-' : printable(info.name),
    ORIGIN_TEXT[originOf(info)],
    info.size.toLocaleString('en-US'),
    await typesText(
      async () => {
        if (object !== null) return object.read();
        const file = await files.find(info.name);
        return file === null ? null : files.read(file);
      },
      async () => specs.vmlinux(),
    ),
  ];
}

/** Returns the number of types, or the error if they cannot be counted. */
async function typesText(
  read: () => Promise<Uint8Array | null>,
  vmlinux: () => Promise<{ readonly bytes: Uint8Array } | null>,
): Promise<string> {
  try {
    const bytes = await read();
    return bytes === null ? '-' : await countOf(bytes, vmlinux);
  } catch (error) {
    return toServiceError(error).message;
  }
}

/** Counts types. Those of a module can be of kinds that only the layout section of vmlinux describes. */
async function countOf(
  bytes: Uint8Array,
  vmlinux: () => Promise<{ readonly bytes: Uint8Array } | null>,
): Promise<string> {
  const alone = surveyBtf(bytes);
  const base = alone.typeCount === null ? await vmlinux() : null;
  const { typeCount } = base === null ? alone : surveyBtf(bytes, base.bytes);
  return typeCount === null ? 'of unknown kinds' : typeCount.toLocaleString('en-US');
}

function table(rows: readonly Row[]): string[] {
  const all: readonly Row[] = [['ID', 'NAME', 'ORIGIN', 'BYTES', 'TYPES'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const isText = [false, true, true, false, false];
  return all.map((row) =>
    row
      .map((cell, column) =>
        isText[column] === true ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
