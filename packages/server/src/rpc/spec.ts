import { setImmediate } from 'node:timers/promises';
import {
  ByteOrder,
  Encoding,
  ErrorReason,
  type IfNoneMatch,
  type SpecHeaderSchema,
  type SpecRequest,
  type SpecResponseSchema,
} from '@btfd/api';
import { invalidRequest } from '../error/invalid-request.js';
import { ServiceError } from '../error/service-error.js';
import type { Init } from '../grpc/message-init.js';
import type { Rpc } from '../grpc/rpc.js';
import { infoMessage } from '../handle/handle-message.js';
import type { Services } from '../services.js';
import type { LoadedBtf } from '../spec/loaded-btf.js';
import { rawChunks } from '../spec/raw-chunks.js';
import { compileSelection, selectTypes } from '../spec/select-types.js';
import type { SpecName, SpecObject, SpecSource } from '../spec/spec-source.js';
import { ownTypeIds, typeChunks } from '../spec/type-chunks.js';
import { checkToken } from './validate.js';

type SpecMessage = Init<typeof SpecResponseSchema>;
type HeaderMessage = Init<typeof SpecHeaderSchema>;

const DIGEST_BYTES = 32;

/** spec serves Spec. */
export function spec({ specs, limits }: Services): Rpc<'spec'> {
  return async function* (request, { signal }) {
    const name = requireName(request);
    const encoding = request.encoding === Encoding.UNSPECIFIED ? Encoding.RAW : request.encoding;
    checkFields(request, encoding);
    const selector = request.selection === undefined ? null : compileSelection(request.selection);
    using object = await specs.find(name);
    const base = await findBase(object, request, specs);
    const header = headerOf(object, base);
    signal.throwIfAborted();
    if (encoding === Encoding.RAW) {
      const notModified = isSame(request.ifNoneMatch, header);
      yield headerMessage({ ...header, notModified });
      if (notModified) return;
      for (const raw of rawChunks(object.btf.bytes, limits.chunkBytes))
        yield { part: { case: 'raw', value: raw } };
      return;
    }
    const types = object.btf.spec(base);
    const selected = selector === null ? null : await selectTypes(types, selector, signal);
    yield headerMessage(selected === null ? header : { ...header, selection: selected.result });
    for (const chunk of typeChunks(types, selected?.ids ?? ownTypeIds(types), limits.chunkBytes)) {
      yield { part: { case: 'types', value: { types: chunk } } };
      // A chunk takes milliseconds to make, and a stream that isn't full doesn't wait.
      await setImmediate();
    }
  };
}

function requireName({ source }: SpecRequest): SpecName {
  switch (source.case) {
    case 'handle':
      checkToken('handle', source.value);
      return source;
    case 'id':
      if (source.value === 0) throw invalidRequest('id', 'must not be 0');
      return source;
    case 'name':
      if (source.value === '') throw invalidRequest('name', 'is empty');
      return source;
    case undefined:
      break;
  }
  throw invalidRequest('source', 'is required');
}

function checkFields({ selection, ifNoneMatch, base }: SpecRequest, encoding: Encoding): void {
  if (encoding !== Encoding.RAW && encoding !== Encoding.TYPES) {
    throw invalidRequest('encoding', `${encoding} is no encoding`);
  }
  if (encoding === Encoding.RAW && selection !== undefined) {
    throw new ServiceError(ErrorReason.NOT_IMPLEMENTED, 'selection: RAW of a selection is not implemented');
  }
  if (encoding === Encoding.RAW && base !== undefined) {
    throw invalidRequest('base', 'RAW needs no base');
  }
  if (ifNoneMatch === undefined) return;
  if (encoding !== Encoding.RAW) throw invalidRequest('if_none_match', 'is for RAW without selection');
  if (ifNoneMatch.digest.length !== DIGEST_BYTES) {
    throw invalidRequest(
      'if_none_match.digest',
      `has ${ifNoneMatch.digest.length} bytes instead of ${DIGEST_BYTES}`,
    );
  }
}

/**
 * The base of split BTF: the one that the request names, or the running kernel's vmlinux.
 *
 * @throws ServiceError with MISSING_BASE if types are asked for and there is no base.
 */
async function findBase(
  object: SpecObject,
  request: SpecRequest,
  specs: SpecSource,
): Promise<LoadedBtf | null> {
  if (!object.btf.split) return null;
  const { base, encoding } = request;
  const found = base?.source.case === undefined ? await specs.vmlinux() : await namedBase(base.source, specs);
  if (found !== null && !found.split) return found;
  if (encoding !== Encoding.TYPES) return null;
  const name = JSON.stringify(object.info.name);
  throw new ServiceError(
    ErrorReason.MISSING_BASE,
    found === null
      ? `missing base types: ${name} continues the kernel’s BTF, which the daemon does not have`
      : `missing base types: the base given for ${name} is split BTF itself`,
  );
}

async function namedBase(name: SpecName, specs: SpecSource): Promise<LoadedBtf> {
  using found = await specs.find(name);
  return found.btf;
}

function headerOf({ info, btf }: SpecObject, base: LoadedBtf | null): HeaderMessage {
  return {
    info: infoMessage(info),
    byteOrder: btf.byteOrder === 'little' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
    typeCount: btf.typeCount,
    rawSize: btf.bytes.length,
    digest: btf.digest,
    baseDigest: base?.digest ?? new Uint8Array(),
    split: btf.split,
  };
}

function headerMessage(header: HeaderMessage): SpecMessage {
  return { part: { case: 'header', value: header } };
}

function isSame(condition: IfNoneMatch | undefined, header: HeaderMessage): boolean {
  if (condition === undefined) return false;
  const { digest, baseDigest } = condition;
  return (
    Buffer.compare(digest, header.digest ?? new Uint8Array()) === 0 &&
    Buffer.compare(baseDigest, header.baseDigest ?? new Uint8Array()) === 0
  );
}
