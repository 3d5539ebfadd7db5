import type { Need, NeedKind } from './report.js';

/** The words for needs that something else than BTF decides, for one and for several. */
const WORDS: readonly (readonly [NeedKind, (need: Need) => boolean, string, string])[] = [
  ['KCONFIG', isUnknown, 'the value of 1 Kconfig variable', 'the values of # Kconfig variables'],
  ['KSYM_ADDRESS', isUnknown, 'the address of 1 kernel symbol', 'the addresses of # kernel symbols'],
  ['SYMBOL', isUnknown, 'whether 1 function can be probed', 'whether # functions can be probed'],
  [
    'ATTACH_TARGET',
    ({ verdict, name }) => verdict === 'FITS' || name === '',
    'whether the kernel lets programs attach to 1 target',
    'whether the kernel lets programs attach to # targets',
  ],
  [
    'HELPER',
    ({ verdict }) => verdict === 'FITS',
    'whether programs of their types may call 1 helper',
    'whether programs of their types may call # helpers',
  ],
  [
    'KFUNC',
    ({ verdict }) => verdict === 'FITS',
    'whether programs of their types may call 1 kernel function',
    'whether programs of their types may call # kernel functions',
  ],
];

/** notJudged returns what was not judged although an object needs it, in words. */
export function notJudged(needs: readonly Need[]): string[] {
  return WORDS.flatMap(([kind, counts, one, several]) => {
    const names = new Set(needs.filter((need) => need.kind === kind && counts(need)).map(({ name }) => name));
    if (names.size === 0) return [];
    return [names.size === 1 ? one : several.replace('#', String(names.size))];
  });
}

function isUnknown({ verdict }: Need): boolean {
  return verdict === 'UNKNOWN';
}
