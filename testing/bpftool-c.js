import { execFileSync } from 'node:child_process';

/** bpftoolC returns the BTF in a file as C by bpftool, with words of its command line after `format c`. */
export function bpftoolC(path, basePath, words = []) {
  const base = basePath === undefined ? [] : ['-B', basePath];
  return execFileSync('bpftool', [...base, 'btf', 'dump', 'file', path, 'format', 'c', ...words], {
    encoding: 'utf8',
    maxBuffer: 1 << 29,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** bpftool skips the first type that it sorted, which is an enum. */
const OMITTED = 'enum that bpftool omits';

/**
 * The ways in which our C may differ from that of bpftool 7.8, which has faults there. Each has a test of one definition
 * of ours and one of bpftool's at the same place.
 */
const EXPLAINED = {
  // Compilers need -fms-extensions for bpftool's text.
  'member without a name': (ours, theirs) => /^\t+(?:struct|union) \w+;$/m.test(theirs),
  // bpftool's union has the size of its members.
  'size of a union': (ours) =>
    /^\t+struct \{(?:\n\t+\w+: \d+;)+\n\t+\} __attribute__\(\(packed\)\);/m.test(ours),
  // bpftool's packed struct has another size, because its padding relies on alignment.
  'packed struct': (ours, theirs) =>
    /\(\(packed/.test(ours) && withoutPadding(ours) === withoutPadding(theirs),
  // bpftool’s text has another layout, or does not compile.
  'members as bytes': (ours) => ours.includes('/* C cannot place these members */'),
  'name that is a keyword': (ours, theirs) => ours.replaceAll(/\b((?:un)?signed)_\b/g, '$1') === theirs,
  // bpftool's va_list has another size for BPF.
  'va_list by value': (ours, theirs) =>
    ours.replaceAll(/\bstruct __va_list_tag (\w+)\[1\]/g, 'va_list $1') === theirs,
  // bpftool states the size of enums of 1 and 8 bytes, if no value is negative.
  'size of an enum': (ours, theirs) =>
    ours.replaceAll(/ __attribute__\(\(mode\((?:HI|word)\)\)\)/g, '') === theirs,
};

/**
 * compareC compares our C of a spec with bpftool's, definition by definition, order included.
 *
 * @returns `explained`: the number of definitions that differ, by reason; `unexplained`: the first that differ in other
 *   ways; `definitions`: the number of all.
 */
export function compareC(ours, theirs) {
  const [our, their] = [ours, theirs].map((text) => text.split(/;?\n\n/));
  const explained = {
    [OMITTED]: 0,
    ...Object.fromEntries(Object.keys(EXPLAINED).map((reason) => [reason, 0])),
  };
  const unexplained = [];
  let at = 0;
  for (const definition of our) {
    const other = their[at];
    if (definition.startsWith('/* Types that C cannot state')) continue;
    const reason = definition === other ? null : reasonOf(definition, other ?? '');
    if (reason === undefined && explained[OMITTED] === 0 && definition.startsWith('enum ')) {
      explained[OMITTED] += 1;
      continue;
    }
    at += 1;
    if (reason === null) continue;
    if (reason !== undefined) explained[reason] += 1;
    else if (unexplained.length < 10) unexplained.push(`${definition} <> ${other}`);
  }
  for (; at < their.length; at++) if (unexplained.length < 10) unexplained.push(` <> ${their[at]}`);
  return { explained, unexplained, definitions: our.length };
}

function reasonOf(ours, theirs) {
  return Object.keys(EXPLAINED).find((reason) => EXPLAINED[reason](ours, theirs));
}

function withoutPadding(text) {
  return text
    ?.replaceAll(/\n\t+(?:long|int|short|char): \d+;/g, '')
    .replaceAll(/ __attribute__\(\([^)]*(?:\(\d+\))?\)\)/g, '');
}
