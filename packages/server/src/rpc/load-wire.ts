import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { BtfService, ErrorReason, LoadHandleRequestSchema } from '@btfd/api';
import type { Limits } from '../config/limits.js';
import { ServiceError } from '../error/service-error.js';

const { rawBtf: RAW_BTF, types: TYPES } = LoadHandleRequestSchema.field;

/** Where a field of an encoded LoadHandleRequest lies, and the content of the two that may be large. */
interface LoadField {
  readonly start: number;
  readonly end: number;
  readonly rawBtf: Uint8Array | null;
  readonly types: Uint8Array | null;
}

/** LoadSizes are how many bytes the parts of an encoded LoadHandleRequest have. */
export interface LoadSizes {
  readonly types: number;
  /** All but the contents of `raw_btf` and `types`. */
  readonly rest: number;
}

/**
 * loadSizes measures an encoded LoadHandleRequest without decoding it, and stops where the rest exceeds a limit: a
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

/** LoadParts are an encoded LoadHandleRequest whose types, if it has any, were taken out. */
export interface LoadParts {
  /** The request without `types`. */
  readonly head: Uint8Array;
  /** The encoded TypeList; null where the request has none. */
  readonly types: Uint8Array | null;
}

/**
 * splitLoad takes the types out of an encoded LoadHandleRequest, as decoding them takes long. Of a oneof the last
 * field counts, and a message that comes in parts is merged, as Protobuf has it.
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

/** The fields up to the end, or up to the first that cannot be read. */
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

/**
 * checkRequestSize throws if an encoded request is larger than its method allows: decoding takes many times
 * the memory of what is decoded, and the event loop while it lasts.
 */
export function checkRequestSize(methodName: string, wire: Uint8Array, limits: Limits): void {
  if (methodName !== BtfService.method.loadHandle.name) {
    check('the request', methodName, wire.length, limits.maxMessageBytes);
    return;
  }
  check('the request', methodName, wire.length, limits.maxLoadMessageBytes);
  const { types, rest } = loadSizes(wire, limits.maxMessageBytes);
  check('the request, besides raw_btf and types,', methodName, rest, limits.maxMessageBytes);
  check('the list of types', methodName, types, limits.maxTypesBytes);
}

function check(what: string, methodName: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new ServiceError(
    ErrorReason.MESSAGE_TOO_LARGE,
    `${what} has ${size} bytes; ${methodName} takes at most ${limit}`,
    {
      metadata: { size: String(size), limit: String(limit) },
    },
  );
}
