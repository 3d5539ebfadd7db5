import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { LoadHandleRequestSchema } from '@btfd/api';

const { rawBtf: RAW_BTF, types: TYPES } = LoadHandleRequestSchema.field;

/** The position of a field of an encoded LoadHandleRequest, and the content of the two that may be large. */
interface LoadField {
  readonly start: number;
  readonly end: number;
  readonly rawBtf: Uint8Array | null;
  readonly types: Uint8Array | null;
}

/** LoadSizes are the sizes of the parts of an encoded LoadHandleRequest, in bytes. */
export interface LoadSizes {
  readonly types: number;
  /** Everything except the contents of `raw_btf` and `types`. */
  readonly rest: number;
}

/**
 * loadSizes measures an encoded LoadHandleRequest without decoding it. It stops when the rest exceeds a limit, because a
 * request may consist of millions of fields.
 */
export function loadSizes(wire: Uint8Array, maxRest: number): LoadSizes {
  let types = 0;
  let rest = 0;
  let read = 0;
  for (const field of fields(wire)) {
    types += field.types?.length ?? 0;
    rest += field.end - field.start - (field.types ?? field.rawBtf ?? []).length;
    read = field.end;
    if (rest > maxRest) return { types, rest };
  }
  return { types, rest: rest + wire.length - read };
}

/** LoadParts are an encoded LoadHandleRequest and the types that were taken out of it. */
export interface LoadParts {
  /** The request without `types`. */
  readonly head: Uint8Array;
  /** The encoded TypeList; null if the request has none. */
  readonly types: Uint8Array | null;
}

/**
 * splitLoad takes the types out of an encoded LoadHandleRequest, because decoding them takes long. As in Protobuf, the last
 * field of a oneof counts, and the parts of a message are merged.
 */
export function splitLoad(wire: Uint8Array): LoadParts {
  let types: Uint8Array[] = [];
  const others: Uint8Array[] = [];
  let start = 0;
  for (const field of fields(wire)) {
    if (field.rawBtf !== null) types = [];
    if (field.types === null) continue;
    types.push(field.types);
    others.push(wire.subarray(start, field.start));
    start = field.end;
  }
  if (start === 0) return { head: wire, types: null };
  others.push(wire.subarray(start));
  return { head: Buffer.concat(others), types: types.length === 0 ? null : Buffer.concat(types) };
}

/** Yields the fields up to the end, or up to the first one that cannot be read. */
function* fields(wire: Uint8Array): Generator<LoadField, void, void> {
  const reader = new BinaryReader(wire);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    let rawBtf: Uint8Array | null = null;
    let types: Uint8Array | null = null;
    try {
      const [number, type] = reader.tag();
      const sized = type === WireType.LengthDelimited;
      if (sized && number === RAW_BTF.number) rawBtf = reader.bytes();
      else if (sized && number === TYPES.number) types = reader.bytes();
      else reader.skip(type, number);
    } catch {
      return;
    }
    yield { start, end: reader.pos, rawBtf, types };
  }
}
