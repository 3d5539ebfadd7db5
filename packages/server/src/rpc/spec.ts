import {
  type CFormat as CFormatMessage,
  Encoding,
  type SpecRequest,
  SpecResponseSchema,
  type TypeSelection,
} from '@btfd/api';
import { invalidRequest } from '../error/service-error.js';
import { Encoded, type WorkerRpc } from '../grpc/rpc.js';
import type { Init } from '../base/message.js';
import { factsOf } from './info-details.js';
import { isOfKernel, KernelBtf } from './kernel-btf.js';
import { KernelTypes } from './kernel-types.js';
import type { Limits } from '../config/limits.js';
import type { Services } from './services.js';
import { findBase, requireBase } from '../source/find-base.js';
import type { LoadedBtf } from '../source/loaded-btf.js';
import { rawChunks } from '../base/slices.js';
import { compileSelection, type Selection } from '../base/selection.js';
import { isSame, specHeader, type SpecHeaderMessage } from './spec-header.js';
import { requireSpecName } from '../source/spec-name.js';
import type { CFormat, SpecItem, SpecJob } from '../pool/job.js';

type SpecMessage = Init<typeof SpecResponseSchema>;

const DIGEST_BYTES = 32;

/** spec serves Spec. */
export function spec(
  { specs, workers, responses, limits, files }: Services,
  kernelBtf = new KernelBtf(),
): WorkerRpc<'spec'> {
  const kernelTypes = new KernelTypes(kernelBtf);
  return async function* (request, call) {
    const { caller } = call;
    const name = requireSpecName(request.source);
    const encoding = checkSpecRequest(request);
    using object = await specs.find(name, caller);
    call.note(factsOf(object.info));
    const wholeRaw = encoding === Encoding.RAW && request.selection === undefined;
    using found = await (wholeRaw ? findBase : requireBase)(object, request.base, specs, caller);
    call.throwIfAborted();
    const base = found?.btf ?? null;
    const header = specHeader(object, base);
    if (wholeRaw) {
      yield* raw(
        object.btf,
        { ...header, notModified: isSame(request.ifNoneMatch, object.btf, base) },
        limits,
      );
      return;
    }
    const job: SpecJob = {
      name: 'spec',
      btf: object.btf.shared,
      base: base?.shared ?? null,
      encoding,
      selection: request.selection === undefined ? null : plainSelection(request.selection),
      chunkBytes: limits.chunkBytes,
      maxCBytes: limits.maxCBytes,
      cFormat: plainCFormat(request.cFormat),
    };
    if (job.selection === null) yield headerMessage(header);
    const make = (): Iterable<SpecItem> | AsyncIterable<SpecItem> => {
      const few = base === null && isOfKernel(object.info, files) ? kernelTypes.items(object.btf, job) : null;
      return few ?? workers.run(job, caller.principal, call.signal);
    };
    for await (const item of responses.reading(job) ?? responses.keeping(job, make())) {
      if (item.case === 'selection') yield headerMessage({ ...header, selection: item.value });
      else yield new Encoded(item.value);
    }
  };
}

/**
 * checkSpecRequest checks the fields of a request, and returns the encoding that it asks for.
 *
 * @throws ServiceError INVALID_REQUEST if they do not fit together.
 */
export function checkSpecRequest(request: SpecRequest): Encoding {
  const { selection, ifNoneMatch, base, cFormat } = request;
  const encoding = request.encoding === Encoding.UNSPECIFIED ? Encoding.RAW : request.encoding;
  if (Encoding[encoding] === undefined) throw invalidRequest('encoding', `${encoding} is not an encoding`);
  if (selection !== undefined) compileSelection(selection);
  const wholeRaw = encoding === Encoding.RAW && selection === undefined;
  if (wholeRaw && base !== undefined) throw invalidRequest('base', 'RAW without a selection needs no base');
  if (selection?.closure === true && encoding !== Encoding.TYPES) {
    throw invalidRequest(
      'selection.closure',
      'is only for TYPES: RAW and C always include the referenced types',
    );
  }
  if (cFormat !== undefined && encoding !== Encoding.C) throw invalidRequest('c_format', 'is only for C');
  if (ifNoneMatch === undefined) return encoding;
  if (!wholeRaw) throw invalidRequest('if_none_match', 'is only for RAW without a selection');
  if (ifNoneMatch.digest.length !== DIGEST_BYTES) {
    throw invalidRequest(
      'if_none_match.digest',
      `has ${ifNoneMatch.digest.length} bytes instead of ${DIGEST_BYTES}`,
    );
  }
  return encoding;
}

function* raw(
  { bytes }: LoadedBtf,
  header: SpecHeaderMessage,
  { chunkBytes }: Limits,
): Generator<SpecMessage | Encoded, void, void> {
  yield headerMessage(header);
  if (header.notModified === true) return;
  for (const chunk of rawChunks(bytes, chunkBytes)) yield Encoded.bytes(SpecResponseSchema.field.raw, chunk);
}

function headerMessage(header: SpecHeaderMessage): SpecMessage {
  return { part: { case: 'header', value: header } };
}

function plainCFormat(format: CFormatMessage | undefined): CFormat {
  const { unsorted = false, withoutKfuncs = false, assertions = false } = format ?? {};
  return { sorted: !unsorted, kfuncs: !withoutKfuncs, assertions };
}

function plainSelection({ names, nameGlobs, kinds, ids, closure }: TypeSelection): Selection {
  return { names, nameGlobs, kinds, ids, closure };
}
