import { BtfFormatError } from '../format-error.js';
import type { ExtBlock } from './blocks.js';
import type { ExtStrings } from './strings.js';

/** ExtReader reads the words and the strings of records. */
export interface ExtReader {
  readonly view: DataView;
  readonly littleEndian: boolean;
  readonly strings: ExtStrings;
}

/** sectionOf returns the name of the ELF section that a block is about. */
export function sectionOf({ start }: ExtBlock, { view, littleEndian, strings }: ExtReader): string {
  const name = strings.whole(view.getUint32(start, littleEndian), start);
  if (name !== '') return name;
  throw malformed('records are about a section without a name', start);
}

/** placesOf returns the offsets of the records in a block. */
export function placesOf({ start, count, recordSize }: ExtBlock): number[] {
  return Array.from({ length: count }, (_, i) => start + 8 + i * recordSize);
}

/** instructionAt returns the instruction of a record. The record has its offset in bytes. */
export function instructionAt(at: number, { view, littleEndian }: ExtReader): number {
  const offset = view.getUint32(at, littleEndian);
  if (offset % 8 === 0) return offset / 8;
  throw malformed(`instruction offset ${offset} is not a multiple of 8`, at);
}

function malformed(message: string, offset: number): BtfFormatError {
  return new BtfFormatError('MALFORMED', message, { offset });
}
