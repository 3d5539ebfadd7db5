import { setImmediate, setTimeout } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  ByteOrder,
  encodeMember,
  encodeMemberError,
  Encoding,
  NoteKind,
  type MemberFields,
  type ResolveMembersResponseSchema,
  type SpecHeaderSchema,
  type SpecRequest,
  type SpecResponseSchema,
} from '@btfd/api';
import {
  BtfReadError,
  formatTypeName,
  MemberPathError,
  parseHeader,
  printC,
  type ResolvedMember,
  resolveMember,
  selectTypes,
  type Spec,
  surveyBtf,
} from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { invalidArgument } from '../error/argument.js';
import { BtfError } from '../error/btf-error.js';
import type { FakeObject } from './fake-object.js';
import { findTypes } from './fake-selection.js';

type SpecPart = MessageInitShape<typeof SpecResponseSchema>;
type Members = MessageInitShape<typeof ResolveMembersResponseSchema>;

/** SpecPace is the pace at which a fake daemon sends BTF. */
export interface SpecPace {
  /** Bytes in each message. */
  readonly chunkBytes: number;
  /** Milliseconds before each. */
  readonly chunkDelay: number;
}

/** fakeSpec yields the responses of Spec for an object. */
export async function* fakeSpec(
  object: FakeObject,
  request: SpecRequest,
  pace: SpecPace,
): AsyncGenerator<SpecPart, void, undefined> {
  const { header, kind, bytes } = contentOf(object, request);
  yield { part: { case: 'header', value: header } };
  for await (const value of chunks(bytes, pace)) yield { part: { case: kind, value } };
}

interface Content {
  readonly header: MessageInitShape<typeof SpecHeaderSchema>;
  readonly kind: 'raw' | 'c';
  readonly bytes: Uint8Array;
}

function contentOf(object: FakeObject, request: SpecRequest): Content {
  const { encoding, selection, ifNoneMatch, base, cFormat } = request;
  const header = headerOf(object);
  if (encoding === Encoding.TYPES) throw unsupported('the encoding TYPES');
  if (encoding === Encoding.C) {
    const spec = parsed(object);
    const found = selection === undefined ? null : findTypes(spec, selection);
    const { unsorted = false, withoutKfuncs = false, assertions = false } = cFormat ?? {};
    const format = { sorted: !unsorted, kfuncs: !withoutKfuncs, assertions };
    const text = printC(spec, found === null ? format : { ...format, roots: found.ids });
    const result = found === null ? {} : { selection: found.result };
    return { header: { ...header, ...result }, kind: 'c', bytes: new TextEncoder().encode(text) };
  }
  if (selection !== undefined) {
    const spec = parsed(object);
    const { ids, result } = findTypes(spec, selection);
    const { bytes, ids: newIds } = selectTypes(spec, ids);
    const typeCount = newIds.filter((id) => id !== 0).length;
    const sent = { ...result, typeCount, rawSize: bytes.length };
    return { header: { ...header, selection: sent }, kind: 'raw', bytes };
  }
  if (base !== undefined) throw invalidArgument('base', 'is not needed for the whole RAW');
  const notModified =
    ifNoneMatch !== undefined &&
    Buffer.compare(ifNoneMatch.digest, header.digest) === 0 &&
    Buffer.compare(ifNoneMatch.baseDigest, header.baseDigest) === 0;
  const bytes = notModified ? new Uint8Array() : object.btf;
  return { header: { ...header, notModified }, kind: 'raw', bytes };
}

/** fakeMembers returns the response of ResolveMembers for an object. */
export function fakeMembers(object: FakeObject, paths: readonly string[]): Members {
  const spec = parsed(object);
  return { results: paths.map((path) => memberOf(spec, path)), digest: object.digest };
}

function memberOf(spec: Spec, path: string): NonNullable<Members['results']>[number] {
  try {
    const value = encodeMember(memberFields(spec, resolveMember(spec, path)));
    return { result: { case: 'member', value } };
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
    const failure =
      error instanceof MemberPathError ? error : new MemberPathError('UNREADABLE', error.message);
    const { message, problem: code, step, candidates } = failure;
    const value = encodeMemberError({
      message,
      code,
      step,
      candidates: candidates.map(({ typeId, member }) => ({
        typeId,
        typeName: formatTypeName(spec, typeId),
        inBase: typeId < spec.firstTypeId,
        member: member === null ? null : memberFields(spec, member),
      })),
      candidateCount: candidates.length,
    });
    return { result: { case: 'error', value } };
  }
}

function memberFields(spec: Spec, member: ResolvedMember): MemberFields {
  return { ...member, typeName: formatTypeName(spec, member.typeId) };
}

function headerOf(object: FakeObject) {
  const { typeCount, notes } = decoded(() => surveyBtf(object.btf, object.base?.btf ?? null));
  const bigEndian = parseHeader(object.btf).byteOrder === 'big';
  return {
    info: object.info(),
    byteOrder: bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN,
    typeCount: typeCount ?? 0,
    rawSize: object.btf.length,
    digest: object.digest,
    baseDigest: object.base?.digest ?? new Uint8Array(),
    split: object.split,
    notes: notes.map(({ kind, offset, length, message }) => ({
      kind: NoteKind[kind],
      offset,
      length,
      message,
    })),
  };
}

/** parsed returns the types of an object. @throws BtfError MISSING_BASE, BTF_UNDECODABLE. */
export function parsed(object: FakeObject): Spec {
  if (object.split && object.base === null) {
    throw new BtfError({
      code: status.FAILED_PRECONDITION,
      reason: 'MISSING_BASE',
      message: `missing base types: there is no base for ${JSON.stringify(object.name)}`,
    });
  }
  return decoded(() => object.spec());
}

/** @throws BtfError BTF_UNDECODABLE. */
function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    const message = `the BTF cannot be decoded: ${String(error)}`;
    throw new BtfError({ code: status.DATA_LOSS, reason: 'BTF_UNDECODABLE', message, cause: error });
  }
}

async function* chunks(
  bytes: Uint8Array,
  { chunkBytes, chunkDelay }: SpecPace,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    // The client gets its turn between chunks, as over a network.
    await (chunkDelay === 0 ? setImmediate() : setTimeout(chunkDelay));
    yield bytes.subarray(at, at + chunkBytes);
  }
}

/** unsupported returns the error for a feature that a fake daemon lacks. */
export function unsupported(feature: string): BtfError {
  const message = `a fake daemon does not support ${feature}`;
  return new BtfError({ code: status.UNIMPLEMENTED, reason: null, message });
}
