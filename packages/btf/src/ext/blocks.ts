import { BtfFormatError } from '../format-error.js';

/** RECORD_SIZES are the sizes of the records that are known, by part. Later compilers may write longer ones. */
export const RECORD_SIZES = { func_info: 8, line_info: 16, core_relo: 16 } as const;

/** The limit of cilium/ebpf. Without one, a record size near 2^32 would be a valid block without records. */
const LONGEST_RECORD = 256;

/** ExtBlock is a block of records about one ELF section. */
export interface ExtBlock {
  /** The offset of its head, which has the name of the section and the count. Records follow after 8 bytes. */
  readonly start: number;
  readonly count: number;
  readonly recordSize: number;
}

/** ExtPart is a part of `.BTF.ext`, as its header describes it. */
export interface ExtPart {
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** The offset of the part in `.BTF.ext`, and as the header counts it: from the end of the header. */
  readonly start: number;
  readonly offset: number;
  readonly size: number;
  readonly what: keyof typeof RECORD_SIZES;
}

/**
 * readBlocks finds the blocks of a part that is not empty.
 *
 * @throws BtfFormatError `MALFORMED` if the part, its record size or a block is invalid.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for records of more than 256 bytes.
 */
export function readBlocks({ view, littleEndian, start, offset, size, what }: ExtPart): ExtBlock[] {
  const u32 = (at: number): number => view.getUint32(at, littleEndian);
  const malformed = (message: string, at: number): BtfFormatError =>
    new BtfFormatError('MALFORMED', `${what} of .BTF.ext ${message}`, { offset: at });
  if (offset % 4 !== 0) throw malformed('is not aligned to 4 bytes', start);
  const end = start + size;
  if (end > view.byteLength) throw malformed('ends after the end of the section', start);
  if (size < 4) throw malformed('has no record size', start);
  const recordSize = u32(start);
  if (recordSize < RECORD_SIZES[what] || recordSize % 4 !== 0) {
    throw malformed(
      `has records of ${recordSize} bytes, which is not a multiple of 4 from ${RECORD_SIZES[what]}`,
      start,
    );
  }
  if (recordSize > LONGEST_RECORD) {
    const message = `${what} of .BTF.ext has records of ${recordSize} bytes: the limit is ${LONGEST_RECORD}`;
    throw new BtfFormatError('LIMIT_EXCEEDED', message, { offset: start });
  }
  const blocks: ExtBlock[] = [];
  let at = start + 4;
  if (at === end) throw malformed('has no records', at);
  while (at < end) {
    if (end - at < 8) throw malformed('ends within the head of a block', at);
    const count = u32(at + 4);
    if (count === 0) throw malformed('has a block without records', at);
    if (count * recordSize > end - at - 8) throw malformed(`has no room for ${count} records`, at);
    blocks.push({ start: at, count, recordSize });
    at += 8 + count * recordSize;
  }
  return blocks;
}
