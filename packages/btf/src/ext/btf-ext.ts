import { BtfFormatError } from '../format-error.js';
import type { ByteOrder } from '../header.js';
import { type Spec, typesOf } from '../spec.js';
import type { TypeId } from '../types.js';
import { type ExtBlock, readBlocks, RECORD_SIZES } from './blocks.js';
import { type ExtReader, instructionAt, placesOf, sectionOf } from './ext-reader.js';
import { LineTable } from './lines.js';
import {
  type CoreRelocation,
  type CoreRelocationBlock,
  type FuncRecord,
  RELOCATION_KINDS,
} from './records.js';
import { ExtStrings } from './strings.js';

const MAGIC = 0xeb9f;
const VERSION = 1;

/** The header with functions and lines, and the header that also has relocations. */
const SHORT_HEADER_LENGTH = 24;
const LONG_HEADER_LENGTH = 32;

/** More than any real object has. They bound the time and the memory that a hostile object takes. */
const MAX_RELOCATIONS = 65_536;
const MAX_FUNCTIONS = 65_536;
const MAX_LINES = 1_048_576;

/**
 * BtfExt is the section `.BTF.ext` of a BPF object: the types of its functions, its source lines, and its CO-RE
 * relocations. Records are by ELF section. Their instructions are counted from the start of the section.
 */
export interface BtfExt {
  readonly byteOrder: ByteOrder;
  /** The functions of each section, in the order of the file. */
  readonly functions: ReadonlyMap<string, readonly FuncRecord[]>;
  readonly lines: LineTable;
  /** The relocations in the order in which loaders resolve them. A section may have several blocks. */
  readonly relocations: readonly CoreRelocationBlock[];
}

/**
 * parseBtfExt parses a section `.BTF.ext`, in either byte order. Headers and records may be longer than those that are
 * known: only their known part is read.
 *
 * Its type ids are not looked up. Modelled on `btf_ext__new` of libbpf.
 *
 * @param bytes the whole section.
 * @param spec the BTF of section `.BTF`, which has the strings.
 * @throws BtfFormatError `MALFORMED` if the header, a block or an instruction is invalid, if a string lies outside the
 * string section, and if the byte order is not that of `spec`. Offsets count from the start of the section.
 * @throws BtfFormatError `UNSUPPORTED` for an unknown version, and for flags.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for more than 65,536 relocations or functions, for more than 1,048,576 lines, for
 * records of more than 256 bytes, and for names of sections or accesses of more than 1,024 bytes.
 */
export function parseBtfExt(bytes: Uint8Array, spec: Spec): BtfExt {
  const { view, littleEndian, length } = readHeader(bytes, spec.byteOrder);
  const strings = new ExtStrings(typesOf(spec).source.strings);
  const part = (at: number, what: keyof typeof RECORD_SIZES): ExtBlock[] => {
    const offset = view.getUint32(at, littleEndian);
    const size = view.getUint32(at + 4, littleEndian);
    return size === 0 ? [] : readBlocks({ view, littleEndian, start: length + offset, offset, size, what });
  };
  const functions = part(8, 'func_info');
  const lines = part(16, 'line_info');
  const relocations = length < LONG_HEADER_LENGTH ? [] : part(24, 'core_relo');
  checkCount(functions, MAX_FUNCTIONS, 'functions');
  checkCount(lines, MAX_LINES, 'lines');
  checkCount(relocations, MAX_RELOCATIONS, 'relocations');
  const reader = { view, littleEndian, strings };
  return {
    byteOrder: littleEndian ? 'little' : 'big',
    functions: readFunctions(functions, reader),
    lines: new LineTable(lines, reader),
    relocations: relocations.map((block) => readRelocations(block, reader)),
  };
}

function readHeader(
  bytes: Uint8Array,
  order: ByteOrder,
): { readonly view: DataView; readonly littleEndian: boolean; readonly length: number } {
  if (bytes.length < 8)
    throw malformed(`.BTF.ext of ${bytes.length} bytes is shorter than its header of 24`, 0);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = view.getUint16(0, true) === MAGIC;
  if (!littleEndian && view.getUint16(0, false) !== MAGIC) {
    throw malformed('.BTF.ext does not begin with the magic number 0xeb9f', 0);
  }
  if (littleEndian !== (order === 'little')) {
    throw malformed(`.BTF.ext has not the byte order of .BTF, which is ${order}-endian`, 0);
  }
  if (view.getUint8(2) !== VERSION) {
    throw unsupported(`unknown version ${view.getUint8(2)} of .BTF.ext`, 2);
  }
  if (view.getUint8(3) !== 0) throw unsupported(`unknown flags ${view.getUint8(3)} of .BTF.ext`, 3);
  const length = view.getUint32(4, littleEndian);
  if (length < SHORT_HEADER_LENGTH) throw malformed(`header length ${length} is less than 24`, 4);
  if (length > bytes.length) {
    throw malformed(`header length ${length} is more than the ${bytes.length} bytes of .BTF.ext`, 4);
  }
  return { view, littleEndian, length };
}

function checkCount(blocks: readonly ExtBlock[], limit: number, what: string): void {
  const count = blocks.reduce((sum, block) => sum + block.count, 0);
  if (count <= limit) return;
  throw new BtfFormatError('LIMIT_EXCEEDED', `.BTF.ext has ${count} ${what}: the limit is ${limit}`);
}

function readFunctions(blocks: readonly ExtBlock[], reader: ExtReader): Map<string, FuncRecord[]> {
  const functions = new Map<string, FuncRecord[]>();
  for (const block of blocks) {
    const section = sectionOf(block, reader);
    const records = functions.get(section) ?? [];
    functions.set(section, records);
    for (const at of placesOf(block)) {
      const typeId: TypeId = reader.view.getUint32(at + 4, reader.littleEndian);
      records.push({ instruction: instructionAt(at, reader), typeId });
    }
  }
  return functions;
}

function readRelocations(block: ExtBlock, reader: ExtReader): CoreRelocationBlock {
  const { view, littleEndian, strings } = reader;
  const section = sectionOf(block, reader);
  const relocations = placesOf(block).map((at): CoreRelocation => {
    const kindNumber = view.getUint32(at + 12, littleEndian);
    return {
      instruction: instructionAt(at, reader),
      typeId: view.getUint32(at + 4, littleEndian),
      access: strings.whole(view.getUint32(at + 8, littleEndian), at + 8),
      kind: RELOCATION_KINDS[kindNumber] ?? null,
      kindNumber,
    };
  });
  return { section, relocations };
}

function malformed(message: string, offset: number): BtfFormatError {
  return new BtfFormatError('MALFORMED', message, { offset });
}

function unsupported(message: string, offset: number): BtfFormatError {
  return new BtfFormatError('UNSUPPORTED', message, { offset });
}
