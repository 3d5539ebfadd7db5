import { BtfFormatError } from '../format-error.js';
import { parseHeader } from '../header.js';
import { isKnownKind, visitIds, wordCount } from '../kind-words.js';
import { type Spec, typesOf } from '../spec.js';
import type { TypeId } from '../types.js';
import { HOST_ORDER, hostWords, kindOfInfo, swapWords } from '../words.js';
import { joinSections, type Rebuilt } from './write-btf.js';

/**
 * permuteTypes puts the types of a BTF in another order, and changes the ids in them. Names, strings and the layout
 * section stay as they are. For split BTF, only its own types move: the result continues the same base.
 *
 * Modelled on libbpf's `btf__permute`, which takes the new ids in the old order instead: the `ids` of the result.
 *
 * @param order the ids of the spec's own types in their new order, each once.
 * @throws BtfFormatError `INVALID_ARGUMENT` if `order` lacks a type, has one twice, or has an id of another spec.
 * @throws BtfFormatError `MALFORMED` for a reference to a type that does not exist.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind, whose references are not known.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for more than 256 MiB, which `Spec.parse` reads with other limits.
 */
export function permuteTypes(spec: Spec, order: Iterable<TypeId>): Rebuilt {
  const ids = newIds(spec, order);
  const { source, offsets } = typesOf(spec);
  const words = hostWords(source.bytes, spec.byteOrder);
  const starts = new Int32Array(spec.typeCount);
  for (let id = spec.firstTypeId; id < spec.endTypeId; id++) {
    starts[(ids[id] ?? 0) - spec.firstTypeId] = (offsets[id - spec.firstTypeId] ?? 0) >>> 2;
  }
  const moved = new Int32Array(words.length);
  let end = 0;
  for (const start of starts) {
    const info = words[start + 1] ?? 0;
    checkKind(info);
    const length = wordCount(info);
    for (let i = 0; i < length; i++) moved[end + i] = words[start + i] ?? 0;
    visitIds(moved, end, (at) => {
      const target = (moved[at] ?? 0) >>> 0;
      if (target >= spec.endTypeId) throw noType(target, spec);
      moved[at] = ids[target] ?? 0;
    });
    end += length;
  }
  if (spec.byteOrder !== HOST_ORDER) swapWords(moved);
  const { layout, strings } = parseHeader(spec.bytes);
  const section = ({ offset, length }: typeof layout): Uint8Array =>
    spec.bytes.subarray(offset, offset + length);
  const types = new Uint8Array(moved.buffer);
  return { bytes: joinSections(spec.byteOrder, types, section(layout), section(strings)), ids };
}

/** The new ids by old ids. Those of the base stay. */
function newIds(spec: Spec, order: Iterable<TypeId>): Int32Array {
  const { firstTypeId, endTypeId } = spec;
  const ids = new Int32Array(endTypeId);
  for (let id = 0; id < firstTypeId; id++) ids[id] = id;
  let next = firstTypeId;
  for (const id of order) {
    if (!Number.isInteger(id) || id < firstTypeId || id >= endTypeId) {
      throw invalid(
        `type id ${String(id)} is not one of the ids ${firstTypeId} to ${endTypeId - 1} of the BTF`,
      );
    }
    if (ids[id] !== 0) throw invalid(`type id ${id} is in the order twice`);
    ids[id] = next++;
  }
  if (next < endTypeId) {
    const missing = ids.indexOf(0, Math.max(1, firstTypeId));
    throw invalid(`type id ${missing} is not in the order: it must have all types of the BTF`);
  }
  return ids;
}

function checkKind(info: number): void {
  const kind = kindOfInfo(info);
  if (isKnownKind(kind)) return;
  throw new BtfFormatError('UNSUPPORTED', `type of unknown kind ${kind}: its references are not known`);
}

function noType(id: number, spec: Spec): BtfFormatError {
  return new BtfFormatError('MALFORMED', `reference to type ${id}: the largest id is ${spec.endTypeId - 1}`);
}

function invalid(message: string): BtfFormatError {
  return new BtfFormatError('INVALID_ARGUMENT', message);
}
