import { CACHE_LINE, type Places } from './layout-places.js';

/** RoomSums adds up the gaps in a type. */
export interface RoomSums {
  readonly memberBytes: number;
  readonly bitfieldBits: number;
  readonly holes: number;
  readonly holeBytes: number;
  readonly bitHoles: number;
  readonly holeBits: number;
  readonly padding: number;
  readonly paddingBits: number;
  readonly forcedAlignments: number;
  readonly forcedHoles: number;
  readonly forcedHoleBytes: number;
}

/** roomSums adds up the gaps in a type. */
export function roomSums({ members, padding }: Places): RoomSums {
  const gaps = members.flatMap(({ gap }) => (gap === null ? [] : [gap]));
  const forced = members.filter(({ forcedAlignment }) => forcedAlignment > 0);
  const forcedHoles = forced.flatMap(({ gap }) => (gap !== null && gap.bytes > 0 ? [gap.bytes] : []));
  return {
    memberBytes: total(members.map(({ size, bitfieldSize }) => (bitfieldSize === 0 ? size : 0))),
    bitfieldBits: total(members.map(({ bitfieldSize }) => bitfieldSize)),
    holes: gaps.filter(({ bytes }) => bytes > 0).length,
    holeBytes: total(gaps.map(({ bytes }) => bytes)),
    bitHoles: gaps.filter(({ bits }) => bits > 0).length,
    holeBits: total(gaps.map(({ bits }) => bits)),
    padding: padding?.bytes ?? 0,
    paddingBits: padding?.bits ?? 0,
    forcedAlignments: forced.length,
    forcedHoles: forcedHoles.length,
    forcedHoleBytes: total(forcedHoles),
  };
}

/** InnerRoom is the room in the struct that is the type of a member. */
export interface InnerRoom
  extends Pick<RoomSums, 'padding' | 'paddingBits' | 'holes' | 'bitHoles'>, InnerArrays {}

interface InnerArrays {
  readonly flexibleArray: boolean;
  readonly embeddedFlexibleArray: boolean;
}

/** innerRemark returns the remark after a member whose type is a struct; null if there is nothing to remark. */
export function innerRemark(inner: InnerRoom): string | null {
  const facts = [
    ...(inner.flexibleArray ? ['a flexible array'] : []),
    ...(inner.embeddedFlexibleArray ? ['embedded flexible array(s)'] : []),
    ...counted(inner.padding, 'byte', ' of padding'),
    ...counted(inner.paddingBits, 'bit', ' of padding'),
    ...counted(inner.holes, 'hole'),
    ...counted(inner.bitHoles, 'bit hole'),
  ];
  return facts.length === 0 ? null : `/* XXX last struct has ${facts.join(', ')} */`;
}

/** holeRemarks returns the remarks on a gap before the next member. */
export function holeRemarks(bits: number, bytes: number): string[] {
  return [...counted(bits, 'bit', ' hole'), ...counted(bytes, 'byte', ' hole')].map(
    (hole) => `/* XXX ${hole}, try to pack */`,
  );
}

/** cacheLineRemark returns the remark before the first member at or after the start of a cache line. */
export function cacheLineRemark(line: number, offset: number): string {
  const start = line * CACHE_LINE;
  const past = offset - start;
  const ago = past === 0 ? '' : ` was ${past} byte${past === 1 ? '' : 's'} ago`;
  return `/* --- cacheline ${line} boundary (${start} bytes)${ago} --- */`;
}

/** sumRemarks returns the remarks at the end of a struct. */
export function sumRemarks(
  { size, members }: { readonly size: number; readonly members: readonly unknown[] },
  sums: RoomSums,
  inner: readonly InnerRoom[],
): string[] {
  const { padding, paddingBits, forcedAlignments, forcedHoles, forcedHoleBytes } = sums;
  const padded = inner.filter((room) => room.padding > 0);
  const forced =
    forcedHoles > 0 ? `, forced holes: ${forcedHoles}, sum forced holes: ${forcedHoleBytes}` : '';
  const lastLine = size % CACHE_LINE;
  return [
    `size: ${size}, cachelines: ${Math.ceil(size / CACHE_LINE)}, members: ${members.length}`,
    ...memberSums(sums),
    ...(padding > 0 ? [`padding: ${padding}`] : []),
    ...innerHoleSums(inner),
    ...(padded.length > 0
      ? [`paddings: ${padded.length}, sum paddings: ${total(padded.map((room) => room.padding))}`]
      : []),
    ...(paddingBits > 0 ? [`bit_padding: ${paddingBits} bits`] : []),
    ...(forcedAlignments > 0 ? [`forced alignments: ${forcedAlignments}${forced}`] : []),
    ...flexibleArraySums(inner),
    ...(lastLine > 0 ? [`last cacheline: ${lastLine} bytes`] : []),
  ].map((text) => `/* ${text} */`);
}

/** The sums of members are shown if there are holes. */
function memberSums({ memberBytes, bitfieldBits, holes, holeBytes, bitHoles, holeBits }: RoomSums): string[] {
  if (holeBytes === 0 && holeBits === 0) return [];
  const ofHoles = holeBytes > 0 ? `, holes: ${holes}, sum holes: ${holeBytes}` : '';
  const ofBits =
    holeBits > 0
      ? `, bit holes: ${bitHoles}, sum bit holes: ${holeBits} bits`
      : ` (${Math.floor(bitfieldBits / 8)} bytes)`;
  return [
    ...(memberBytes > 0 ? [`sum members: ${memberBytes}${ofHoles}`] : []),
    ...(bitfieldBits > 0 ? [`sum bitfield members: ${bitfieldBits} bits${ofBits}`] : []),
  ];
}

function innerHoleSums(inner: readonly InnerRoom[]): string[] {
  const sumOf = (words: string, of: 'holes' | 'bitHoles' | 'paddingBits'): string[] => {
    const some = inner.filter((room) => room[of] > 0);
    const sum = total(some.map((room) => room[of]));
    const unit = of !== 'paddingBits' ? '' : sum === 1 ? ' bit' : ' bits';
    return some.length === 0 ? [] : [`${words}: ${some.length}, total: ${sum}${unit}`];
  };
  const sums = [
    ...sumOf('holes', 'holes'),
    ...sumOf('bit holes', 'bitHoles'),
    ...sumOf('bit paddings', 'paddingBits'),
  ];
  return sums.length === 0 ? [] : [`member types with ${sums.join(', ')}`];
}

function flexibleArraySums(inner: readonly InnerRoom[]): string[] {
  const end = inner.filter(({ flexibleArray }) => flexibleArray).length;
  const middle = inner.filter(({ embeddedFlexibleArray }) => embeddedFlexibleArray).length;
  const sums = [...(end > 0 ? [`end: ${end}`] : []), ...(middle > 0 ? [`middle: ${middle}`] : [])];
  return sums.length === 0 ? [] : [`flexible array members: ${sums.join(', ')}`];
}

/** Returns a count with its word, or nothing for 0. */
function counted(count: number, word: string, after = ''): string[] {
  return count === 0 ? [] : [`${count} ${word}${count === 1 ? '' : 's'}${after}`];
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
