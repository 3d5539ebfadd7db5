import { BtfFormatError } from '../format-error.js';
import { LONG_HEADER_LENGTH, parseHeader, SHORT_HEADER_LENGTH } from '../header.js';
import type { BtfNote } from '../notes.js';
import { type ParseOptions, parseRewritten, type Spec } from '../spec.js';
import { matchDistilled } from './distilled-match.js';
import { embeddedInSplit } from './embedded.js';
import { rewriteWords, type WordMaps } from './rewrite-words.js';

/**
 * relocateSplit moves split BTF from a distilled base (`.BTF.base`, Linux 6.11) onto a full one, as the kernel does
 * when it loads an out-of-tree module. Modelled on libbpf's `btf__relocate`.
 *
 * The result has the types of the split BTF in the same order, with ids that continue those of the full base. Names of
 * the distilled base become strings of the result, so it no longer needs the distilled base. Unknown parts of both are
 * left out of its bytes; it has the notes about them, whose offsets count from the start of the BTF before the move.
 *
 * @param split a spec that was parsed with the distilled base as its base.
 * @param fullBase the BTF of a kernel, which may itself be split.
 * @throws BtfFormatError `BASE_MISMATCH` if the full base lacks a type of the distilled base, has several matches, or
 * has the other byte order.
 * @throws BtfFormatError `MALFORMED` if `split` refers to a type or string that does not exist, or its base is not a
 * distilled one.
 * @throws BtfFormatError `MISSING_BASE` if `split` has no base.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if the result exceeds one of the limits.
 */
export function relocateSplit(split: Spec, fullBase: Spec, options: Omit<ParseOptions, 'base'> = {}): Spec {
  const distilled = split.base;
  if (distilled === null) {
    throw new BtfFormatError('MISSING_BASE', 'BTF without a distilled base cannot be relocated');
  }
  if (distilled.base !== null) {
    throw new BtfFormatError('MALFORMED', 'invalid distilled base: it is split BTF');
  }
  if (stringSection(distilled).length === 0) {
    throw new BtfFormatError('MALFORMED', 'invalid distilled base: it has no string section');
  }
  if (fullBase.byteOrder !== split.byteOrder) {
    const message = `split BTF is ${split.byteOrder}-endian, but the full base is ${fullBase.byteOrder}-endian`;
    throw new BtfFormatError('BASE_MISMATCH', message);
  }
  const ids = matchDistilled(distilled, fullBase, embeddedInSplit(split));
  const notes = [...split.notes, ...distilled.notes.map(ofDistilled)];
  return parseRewritten(rewritten(split, distilled, fullBase, ids), { ...options, base: fullBase }, notes);
}

function ofDistilled(note: BtfNote): BtfNote {
  return { ...note, message: `distilled base: ${note.message}` };
}

function rewritten(split: Spec, distilled: Spec, fullBase: Spec, ids: Uint32Array): Uint8Array {
  const bytes = split.bytes;
  const { types, strings, layout } = parseHeader(bytes);
  const distilledStrings = stringSection(distilled);
  const ownStrings = bytes.subarray(strings.offset, strings.offset + strings.length);
  // Without its first NUL: BTF whose strings begin with the empty string would look as if it stood alone.
  const carriedStrings = distilledStrings.subarray(1);
  const stringLength = carriedStrings.length + ownStrings.length;

  const length = layout.length > 0 ? LONG_HEADER_LENGTH : SHORT_HEADER_LENGTH;
  const result = new Uint8Array(length + types.length + layout.length + stringLength);
  const view = new DataView(result.buffer);
  const littleEndian = split.byteOrder === 'little';
  // The magic number and the version. The flags may be about parts that are left out.
  result.set(bytes.subarray(0, 3));
  const fields = [length, 0, types.length, types.length + layout.length, stringLength];
  if (layout.length > 0) fields.push(types.length, layout.length);
  for (const [i, word] of fields.entries()) view.setUint32(4 + i * 4, word, littleEndian);
  result.set(bytes.subarray(layout.offset, layout.offset + layout.length), length + types.length);
  result.set(carriedStrings, length + types.length + layout.length);
  result.set(ownStrings, length + types.length + layout.length + carriedStrings.length);

  const place = (at: number) => ({ offset: types.offset + at });
  const stringEnd = distilledStrings.length + ownStrings.length;
  const stringShift = stringEndOf(fullBase) - 1;
  const maps: WordMaps = {
    name(offset, at) {
      if (offset === 0) return 0;
      // An offset after the end was invalid before. It must not become the end of another string.
      if (offset < stringEnd) return offset + stringShift;
      const message = `string offset ${offset} is after the end of the string section at ${stringEnd}`;
      throw new BtfFormatError('MALFORMED', message, place(at));
    },
    typeId(id, at) {
      const mapped = id < split.firstTypeId ? ids[id] : id - split.firstTypeId + fullBase.endTypeId;
      if (mapped !== undefined && id < split.endTypeId) return mapped;
      const message = `no type with id ${id}: the largest id is ${split.endTypeId - 1}`;
      throw new BtfFormatError('MALFORMED', message, place(at));
    },
  };
  const ownTypes = bytes.subarray(types.offset, types.offset + types.length);
  result.set(rewriteWords(ownTypes, split.byteOrder, maps), length);
  return result;
}

function stringSection(spec: Spec): Uint8Array {
  const { strings } = parseHeader(spec.bytes);
  return spec.bytes.subarray(strings.offset, strings.offset + strings.length);
}

/** The length of the string sections of a spec and of all its bases. */
function stringEndOf(spec: Spec): number {
  let end = 0;
  for (let at: Spec | null = spec; at !== null; at = at.base) end += stringSection(at).length;
  return end;
}
