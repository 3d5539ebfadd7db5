import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import { parsePrincipal } from '../auth/principal.js';
import {
  formatAddress,
  parseAddress,
  type Address,
  type TcpAddress,
  type UnixAddress,
} from '../base/address.js';
import { BTF_TURNS } from '../base/file-turns.js';
import { isNodeName } from '../base/node-name.js';
import type { Kind } from './setting.js';

/** SWITCH is on or off. */
export const SWITCH: Kind<boolean> = {
  placeholder: null,
  isList: false,
  parse(texts) {
    const text = only(texts);
    if (text === 'true') return true;
    if (text === 'false') return false;
    throw new Error(`${quoted(text)} is neither true nor false`);
  },
  format: String,
};

/** COUNT is a whole number from 1. */
export const COUNT: Kind<number> = {
  placeholder: 'N',
  isList: false,
  parse(texts) {
    const text = only(texts);
    const value = Number(text);
    if (/^\d{1,10}$/.test(text) && value >= 1 && value <= MAX_COUNT) return value;
    throw new Error(`${quoted(text)} is not a whole number between 1 and ${MAX_COUNT}`);
  },
  format: String,
};

/** bytes returns the kind of a size between two bounds: `4096`, `64KiB`, `17MiB`, `1GiB`. */
export function bytes(min: number, max: number): Kind<number> {
  const format = (value: number): string => inLargestUnit(value, BYTE_UNITS);
  return {
    placeholder: 'SIZE',
    isList: false,
    parse(texts) {
      const text = only(texts);
      const match = /^(\d{1,10})(KiB|MiB|GiB|)$/.exec(text);
      const factor = BYTE_UNITS.find(([unit]) => unit === match?.[2])?.[1];
      const value = Number(match?.[1]) * (factor ?? 1);
      if (match !== null && value >= min && value <= max) return value;
      const range = `between ${format(min)} and ${format(max)}`;
      throw new Error(`${quoted(text)} is not a size ${range}: write it as 4096, 64KiB, 16MiB or 1GiB`);
    },
    format,
  };
}

/** BYTES is a size up to 1 GiB, which fits in one buffer on every platform of Node. */
export const BYTES: Kind<number> = bytes(1, 2 ** 30);

/** DURATION is a time in milliseconds: `250ms`, `30s`, `5m`, `1h`, or a sum of these such as `1m30s`. */
export const DURATION: Kind<number> = {
  placeholder: 'TIME',
  isList: false,
  parse(texts) {
    const text = only(texts);
    let value = 0;
    for (const [, digits, unit] of text.matchAll(/(\d{1,9})(ms|s|m|h)/g)) {
      value += Number(digits) * (TIME_UNITS.find(([each]) => each === unit)?.[1] ?? 0);
    }
    const isDuration = /^(\d{1,9}(ms|s|m|h))+$/.test(text);
    if (isDuration && value >= 1 && value <= MAX_DURATION_MS) return value;
    throw new Error(
      `${quoted(text)} is not a time between 1ms and 24h: write it as 250ms, 30s, 5m, 1h or 1m30s`,
    );
  },
  format: (value) => inLargestUnit(value, TIME_UNITS),
};

/** DURATION_OR_NONE is a time, or `none` for no bound. */
export const DURATION_OR_NONE = orNone(DURATION);

/** MEBIBYTES_OR_NONE is a size whose value is in MiB, or `none` for no bound. */
export const MEBIBYTES_OR_NONE = orNone({
  ...BYTES,
  parse(texts) {
    const size = BYTES.parse(texts);
    if (size % MIB === 0) return size / MIB;
    throw new Error(`${quoted(only(texts))} is not a whole number of MiB`);
  },
  format: (value) => BYTES.format(value * MIB),
});

/** Returns a kind that also accepts `none`. */
function orNone(kind: Kind<number>): Kind<number> {
  return {
    ...kind,
    placeholder: `${kind.placeholder}|none`,
    parse: (texts) => (texts.length === 1 && texts[0] === 'none' ? Infinity : kind.parse(texts)),
    format: (value) => (value === Infinity ? 'none' : kind.format(value)),
  };
}

/** FILE is the path of a file, or null. A relative path starts at the working directory of the daemon. */
export const FILE: Kind<string | null> = {
  placeholder: 'FILE',
  isList: false,
  parse: (texts) => pathOf(only(texts)),
  format: (value) => value ?? 'none',
};

/** PRINCIPALS is a list of principals. */
export const PRINCIPALS: Kind<readonly string[]> = {
  placeholder: 'PRINCIPAL',
  isList: true,
  note: 'may be given several times',
  parse: (texts) => texts.map(parsePrincipal),
  format: (value) => (value.length === 0 ? 'none' : value.join(',')),
};

/** GROUP is a group of users, by number or by its name in `/etc/group`, or null. */
export const GROUP: Kind<number | null> = {
  placeholder: 'GROUP',
  isList: false,
  parse: (texts) => findGroup(only(texts)),
  format: (value) => (value === null ? 'none' : String(value)),
};

/**
 * findGroup returns the number of a group, given by number or by its name in `/etc/group`.
 *
 * @throws Error if there is no such group.
 */
export function findGroup(text: string, file = '/etc/group'): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name, , gid] = line.split(':');
    if (name === text && gid !== undefined && /^\d+$/.test(gid)) return Number(gid);
  }
  throw new Error(`${file} has no group ${JSON.stringify(text)}`);
}

/** SOCKET is the path of a unix socket, or null. A relative path starts at the working directory of the daemon. */
export const SOCKET: Kind<UnixAddress | null> = {
  placeholder: 'PATH',
  isList: false,
  parse(texts) {
    const address = parseAddress(`unix:${pathOf(only(texts))}`);
    if (address.kind === 'unix') return address;
    throw new Error(`${formatAddress(address)} is not a unix socket`);
  },
  format: (value) => value?.path ?? 'none',
};

/** DIRECTORY is a folder of BTF files that exists, or null. A relative path starts at the working directory of the daemon. */
export const DIRECTORY: Kind<string | null> = {
  placeholder: 'DIR',
  isList: false,
  parse: (texts) => pathOf(only(texts)),
  async check(path) {
    if (path === null) return;
    const stats = await BTF_TURNS.run(`looking at ${path}`, async () => stat(path));
    if (!stats.isDirectory()) throw new Error(`${path} is not a folder`);
  },
  format: (value) => value ?? 'none',
};

/** NODE_NAME is the name of a node, or null. */
export const NODE_NAME: Kind<string | null> = {
  placeholder: 'NAME',
  isList: false,
  parse(texts) {
    const text = only(texts);
    if (isNodeName(text)) return text;
    throw new Error(
      `${quoted(text)} is not a name: use at most 253 printable ASCII characters without spaces`,
    );
  },
  format: (value) => value ?? 'none',
};

/** Returns an address of TCP; null for other texts. */
function tcpAddressOf(text: string): TcpAddress | null {
  try {
    const address = parseAddress(text);
    return address.kind === 'tcp' ? address : null;
  } catch {
    // Its advice includes the socket of a path, which does not fit here.
    return null;
  }
}

/** METRICS_ADDRESS is where metrics are served, or `off`, or null if nothing is given. `none` means `off`, too. */
export const METRICS_ADDRESS: Kind<TcpAddress | 'off' | null> = {
  placeholder: 'HOST:PORT|off',
  isList: false,
  parse(texts) {
    const text = only(texts);
    if (text === 'off' || text === 'none') return 'off';
    const address = tcpAddressOf(text);
    if (address !== null) return address;
    throw new Error(`invalid address ${quoted(text)}: use HOST:PORT, or off`);
  },
  format(value) {
    if (value === null) return 'none';
    return value === 'off' ? value : formatAddress(value);
  },
};

/** ADDRESSES is a list of addresses to listen on. */
export const ADDRESSES: Kind<readonly Address[]> = {
  placeholder: 'ADDRESS',
  isList: true,
  note: 'may be given several times',
  parse: (texts) => texts.map(parseAddress),
  format: (value) => (value.length === 0 ? 'none' : value.map(formatAddress).join(',')),
};

/** choice returns the kind of one of several words. */
export function choice<Word extends string>(placeholder: string, words: readonly Word[]): Kind<Word> {
  return {
    placeholder,
    isList: false,
    note: words.join(', '),
    parse(texts) {
      const text = only(texts);
      const word = words.find((each) => each === text);
      if (word !== undefined) return word;
      throw new Error(`${quoted(text)} is not one of ${words.join(', ')}`);
    },
    format: (value) => value,
  };
}

const MIB = 2 ** 20;
/** More than any machine holds, and small enough to calculate with exactly. */
const MAX_COUNT = 1_000_000_000;
/** Node's timers overflow after 24 days. No setting needs more than a day. */
const MAX_DURATION_MS = 24 * 3_600_000;

type Units = readonly (readonly [unit: string, factor: number])[];

const BYTE_UNITS: Units = [
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['', 1],
];

const TIME_UNITS: Units = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

function inLargestUnit(value: number, units: Units): string {
  const [unit, factor] = units.find(([, each]) => value % each === 0) ?? ['', 1];
  return `${value / factor}${unit}`;
}

function only(texts: readonly string[]): string {
  const [text] = texts;
  if (text === undefined || texts.length > 1) throw new Error(`expected one value, got ${texts.length}`);
  return text;
}

function pathOf(text: string): string {
  if (text === '') throw new Error('the path is empty');
  return isAbsolute(text) ? text : resolve(text);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
