import { setImmediate } from 'node:timers/promises';
import { Encoding, type SpecRequest, type SpecResponseSchema } from '@btfd/api';
import { selectTypes } from '@btfd/btf';
import { invalidRequest } from '../error/invalid-request.js';
import type { Init } from '../grpc/message-init.js';
import type { Rpc } from '../grpc/rpc.js';
import { factsOf } from '../handle/facts.js';
import type { Limits } from '../limits.js';
import type { Services } from '../services.js';
import { cChunks } from '../spec/c-chunks.js';
import { closureOf } from '../spec/closure.js';
import { findBase, requireBase } from '../spec/find-base.js';
import type { LoadedBtf } from '../spec/loaded-btf.js';
import { rawChunks } from '../spec/raw-chunks.js';
import { compileSelection, findSelected, type Selector } from '../spec/select-types.js';
import { isSame, specHeader, type SpecHeaderMessage } from '../spec/spec-header.js';
import { requireSpecName } from '../spec/spec-name.js';
import type { SpecObject } from '../spec/spec-source.js';
import { ownTypeIds, typeChunks } from '../spec/type-chunks.js';

type SpecMessage = Init<typeof SpecResponseSchema>;

const DIGEST_BYTES = 32;

/** What the parts of an answer are made of. */
interface Answer {
  readonly object: SpecObject;
  readonly base: LoadedBtf | null;
  readonly selector: Selector | null;
  readonly limits: Limits;
  readonly signal: AbortSignal;
}

/** spec serves Spec. */
export function spec({ specs, limits }: Services): Rpc<'spec'> {
  return async function* (request, { signal, caller, record }) {
    const name = requireSpecName(request.source);
    const encoding = request.encoding === Encoding.UNSPECIFIED ? Encoding.RAW : request.encoding;
    checkFields(request, encoding);
    const selector = request.selection === undefined ? null : compileSelection(request.selection);
    using object = await specs.find(name, caller);
    record?.note(factsOf(object.info));
    const wholeRaw = encoding === Encoding.RAW && selector === null;
    const base = await (wholeRaw ? findBase : requireBase)(object, request.base, specs, caller);
    signal.throwIfAborted();
    const answer: Answer = { object, base, selector, limits, signal };
    if (encoding === Encoding.TYPES) yield* types(answer);
    else if (encoding === Encoding.C) yield* c(answer);
    else if (selector !== null) yield* rawOfSelection(answer, selector);
    else yield* raw(answer, isSame(request.ifNoneMatch, object, base));
  };
}

function checkFields({ selection, ifNoneMatch, base }: SpecRequest, encoding: Encoding): void {
  if (Encoding[encoding] === undefined) throw invalidRequest('encoding', `${encoding} is no encoding`);
  const wholeRaw = encoding === Encoding.RAW && selection === undefined;
  if (wholeRaw && base !== undefined) throw invalidRequest('base', 'the whole RAW needs no base');
  if (selection?.closure === true && encoding !== Encoding.TYPES) {
    throw invalidRequest('selection.closure', 'is for TYPES; RAW and C always have what is referred to');
  }
  if (ifNoneMatch === undefined) return;
  if (!wholeRaw) throw invalidRequest('if_none_match', 'is for RAW without selection');
  if (ifNoneMatch.digest.length !== DIGEST_BYTES) {
    throw invalidRequest(
      'if_none_match.digest',
      `has ${ifNoneMatch.digest.length} bytes instead of ${DIGEST_BYTES}`,
    );
  }
}

function* raw({ object, base, limits }: Answer, notModified: boolean): Generator<SpecMessage, void, void> {
  yield headerMessage({ ...specHeader(object, base), notModified });
  if (!notModified) yield* rawMessages(object.btf.bytes, limits);
}

async function* rawOfSelection(
  { object, base, limits, signal }: Answer,
  selector: Selector,
): AsyncGenerator<SpecMessage, void, void> {
  const all = object.btf.spec(base);
  const { ids, result } = await findSelected(all, selector, signal);
  const { bytes, ids: newIds } = selectTypes(all, ids);
  const selection = {
    ...result,
    typeCount: newIds.reduce((count, id) => count + (id === 0 ? 0 : 1), 0),
    rawSize: bytes.length,
  };
  yield headerMessage({ ...specHeader(object, base), selection });
  yield* rawMessages(bytes, limits);
}

async function* types({
  object,
  base,
  selector,
  limits,
  signal,
}: Answer): AsyncGenerator<SpecMessage, void, void> {
  const all = object.btf.spec(base);
  const header = specHeader(object, base);
  let ids: Iterable<number> = ownTypeIds(all);
  if (selector === null) {
    yield headerMessage(header);
  } else {
    const selected = await findSelected(all, selector, signal);
    const sent = selector.closure ? await closureOf(all, selected.ids, signal) : selected.ids;
    ids = sent;
    yield headerMessage({ ...header, selection: { ...selected.result, typeCount: sent.length } });
  }
  for (const chunk of typeChunks(all, ids, limits.chunkBytes)) {
    yield { part: { case: 'types', value: { types: chunk } } };
    // A chunk takes milliseconds to make, and a stream that isn't full doesn't wait.
    await setImmediate();
  }
}

async function* c({
  object,
  base,
  selector,
  limits,
  signal,
}: Answer): AsyncGenerator<SpecMessage, void, void> {
  const all = object.btf.spec(base);
  const header = specHeader(object, base);
  const selected = selector === null ? null : await findSelected(all, selector, signal);
  yield headerMessage(selected === null ? header : { ...header, selection: selected.result });
  for (const bytes of cChunks(all, selected?.ids ?? null, limits.maxCBytes, limits.chunkBytes)) {
    yield { part: { case: 'c', value: bytes } };
    await setImmediate();
  }
}

function* rawMessages(bytes: Uint8Array, { chunkBytes }: Limits): Generator<SpecMessage, void, void> {
  for (const value of rawChunks(bytes, chunkBytes)) yield { part: { case: 'raw', value } };
}

function headerMessage(header: SpecHeaderMessage): SpecMessage {
  return { part: { case: 'header', value: header } };
}
