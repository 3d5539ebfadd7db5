import { BtfFormatError } from '../format-error.js';
import type { ElfFile, ElfSection } from './elf-file.js';
import { ELF32, ELF64, ElfReader } from './elf-layout.js';

const ELFCOMPRESS_ZLIB = 1;
const ELFCOMPRESS_ZSTD = 2;

/**
 * inflateSection returns the bytes of a section with the flag `SHF_COMPRESSED`. It inflates at most the size in the
 * section's header.
 *
 * @param limit maximum number of bytes to inflate.
 * @throws BtfFormatError `UNSUPPORTED` for zstd, which neither browsers nor Node 20 can decompress, for unknown
 * formats, and if the platform lacks `DecompressionStream`.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the size in the header exceeds `limit`.
 * @throws BtfFormatError `MALFORMED` if the stream is broken or has another size.
 */
export async function inflateSection(
  file: ElfFile,
  section: ElfSection,
  limit: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { name, offset } = section;
  const layout = file.pointerSize === 4 ? ELF32 : ELF64;
  const { length, type, size } = layout.compression;
  if (section.size < length) {
    throw new BtfFormatError('MALFORMED', `section ${name} is shorter than its compression header`, {
      offset,
    });
  }
  const reader = new ElfReader(file.bytes, layout, file.byteOrder);
  checkFormat(reader.u32(offset + type), section);
  const inflatedSize = reader.word(offset + size);
  if (inflatedSize > limit) {
    const message = `section ${name} of ${inflatedSize} bytes exceeds the limit of ${limit}`;
    throw new BtfFormatError('LIMIT_EXCEEDED', message, { offset: offset + size });
  }
  // A copy: a stream may not take bytes of shared memory.
  const compressed = new Uint8Array(file.bytes.subarray(offset + length, offset + section.size));
  const inflated = await inflate(compressed, inflatedSize);
  if (inflated === null) {
    const message = `section ${name} does not inflate to the ${inflatedSize} bytes in its header`;
    throw new BtfFormatError('MALFORMED', message, { offset });
  }
  return inflated;
}

function checkFormat(format: number, { name, offset }: ElfSection): void {
  if (format === ELFCOMPRESS_ZLIB && typeof DecompressionStream === 'function') return;
  const names = new Map([
    [ELFCOMPRESS_ZLIB, 'zlib'],
    [ELFCOMPRESS_ZSTD, 'zstd'],
  ]);
  const word = names.get(format) ?? `format ${format}`;
  const message = `section ${name} is compressed with ${word}, which cannot be decompressed here`;
  throw new BtfFormatError('UNSUPPORTED', message, { offset });
}

/** Null if the stream is broken or has another size. */
async function inflate(
  compressed: Uint8Array<ArrayBuffer>,
  size: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const inflated = new Uint8Array(size);
  const stream = new DecompressionStream('deflate');
  const writer = stream.writable.getWriter();
  // A failure to write also fails the reader, which reports it.
  const written = writer
    .write(compressed)
    .then(() => writer.close())
    .catch(() => undefined);
  const reader = stream.readable.getReader();
  let filled = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.length > size - filled) {
        await reader.cancel();
        return null;
      }
      inflated.set(value, filled);
      filled += value.length;
    }
  } catch {
    return null;
  }
  await written;
  return filled === size ? inflated : null;
}
