/*
 * Numbers in text for people: sizes, offsets and counts have commas between thousands, on both sides of an arrow too. Ids,
 * values, lines of a source and C have none, because they are copied to other commands.
 */

/** grouped writes an integer with commas between thousands. Loading the locales for `toLocaleString` takes milliseconds. */
export function grouped(integer: number | bigint): string {
  return String(integer).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** counted returns a number with its noun: `1 program`, `2,000 programs`. */
export function counted(number: number, noun: string): string {
  return `${grouped(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/**
 * offsetText returns an offset in bytes: `1,264`, and `1,264:3` if it is that of a bitfield.
 *
 * @param bits the offset in bits.
 */
export function offsetText(bits: number, isBitfield: boolean): string {
  const bytes = grouped(Math.floor(bits / 8));
  return isBitfield || bits % 8 !== 0 ? `${bytes}:${bits % 8}` : bytes;
}
