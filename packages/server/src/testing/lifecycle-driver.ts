import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import {
  CloneHandleRequestSchema,
  CloseHandlesRequestSchema,
  ErrorReason,
  GetHandleByIdRequestSchema,
  GetHandleInfoRequestSchema,
  HandleSchema,
  IterateHandlesRequestSchema,
  IterateHandlesResponseSchema,
  RenewHandlesRequestSchema,
  TakeHandleRequestSchema,
  type Handle,
} from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import { type Use, newToken } from '../handle/handle-table.js';
import { cloneHandle } from '../rpc/clone-handle.js';
import { closeHandles } from '../rpc/close-handles.js';
import { getHandleById } from '../rpc/get-handle-by-id.js';
import { getHandleInfo } from '../rpc/get-handle-info.js';
import { iterateHandles } from '../rpc/iterate-handles.js';
import { renewHandles } from '../rpc/renew-handles.js';
import { takeHandle } from '../rpc/take-handle.js';
import { intBtf } from './btf-bytes.js';
import { callLoad } from './call-load.js';
import { callBy, LOADER } from './callers.js';
import { FakeKernel } from './fake-kernel.js';
import {
  BOUNDS,
  LifecycleModel,
  type ModelHandle,
  type ModelStream,
  type StreamOutcome,
} from './lifecycle-model.js';
import { failureOf } from './service-error.js';
import { EPOCH, makeServices, type ServicesForTest } from './services.js';

/** LifecycleOp is one operation of a client, or of time. A `pick` chooses one of the existing things. */
export type LifecycleOp =
  | { readonly op: 'load'; readonly ttl: number | null }
  | { readonly op: 'open' | 'clone' | 'take'; readonly pick: number; readonly ttl: number | null }
  | { readonly op: 'info' | 'use' | 'endUse' | 'next' | 'disconnect' | 'unload'; readonly pick: number }
  | { readonly op: 'renew' | 'close'; readonly picks: readonly number[] }
  | { readonly op: 'advance'; readonly ms: number }
  | { readonly op: 'stream' };

/** A stream of the daemon, with the model's. */
interface Stream {
  readonly model: ModelStream;
  readonly messages: AsyncIterator<MessageInitShape<typeof IterateHandlesResponseSchema>>;
  readonly abort: AbortController;
  /** The result of the last request for an object; null until it arrives. */
  answer: { readonly outcome: StreamOutcome; readonly token: string } | null;
}

const KERNEL_OBJECTS = ['vmlinux', 'mod_a', 'mod_b', 'mod_c'];
const OTHER_EPOCH = 'fedcba9876543210';

/** LifecycleDriver runs the same operations on the daemon's RPCs, with a fake kernel, and on the model, and compares. */
export class LifecycleDriver {
  readonly #services: ServicesForTest;
  /** How often each property was checked. */
  readonly #checks: Map<string, number>;
  readonly #model = new LifecycleModel();
  readonly #streams: Stream[] = [];
  readonly #uses: { readonly use: Use; readonly handle: ModelHandle }[] = [];
  /** Every token that was ever issued, and two that were not. */
  readonly #tokens = [newToken(OTHER_EPOCH), newToken(EPOCH)];

  private constructor(services: ServicesForTest, checks: Map<string, number>) {
    this.#services = services;
    this.#checks = checks;
  }

  static async start(checks: Map<string, number>): Promise<LifecycleDriver> {
    const kernel = new FakeKernel();
    const ids = KERNEL_OBJECTS.map((name) => kernel.add(name, intBtf(name)));
    const driver = new LifecycleDriver(await makeServices(kernel, { limits: BOUNDS }), checks);
    for (const id of ids) driver.#model.kernelIds.add(id);
    return driver;
  }

  async run(op: LifecycleOp): Promise<void> {
    const asked = await this.#act(op);
    const outcomes = this.#model.settle();
    if (asked !== null) outcomes.set(asked.stream, asked.outcome);
    await setImmediate();
    for (const stream of this.#streams) this.#compareStream(stream, outcomes.get(stream.model));
    this.#compareAll();
  }

  /** Ends everything, and the daemon at the end. */
  async finish(): Promise<void> {
    while (this.#uses.length > 0) this.#endUse(0);
    for (const stream of this.#streams) await this.#disconnect(stream);
    this.#services.handles.closeAll();
    this.#model.handles.clear();
    this.#check('D3', this.#services.kernel.openCount, 0);
    this.#check('D3', this.#services.clock.timers, 0);
  }

  /** Runs an operation on both. Returns the expected result of a stream that is asked for its next object. */
  async #act(op: LifecycleOp): Promise<{ stream: ModelStream; outcome: StreamOutcome } | null> {
    switch (op.op) {
      case 'load':
        await this.#load(op.ttl);
        return null;
      case 'open':
        await this.#open(op.pick, op.ttl);
        return null;
      case 'clone':
        await this.#clone(this.#token(op.pick), op.ttl);
        return null;
      case 'take':
        await this.#take(this.#token(op.pick), op.ttl);
        return null;
      case 'info':
        await this.#info(this.#token(op.pick));
        return null;
      case 'renew':
        await this.#renew(op.picks.map((pick) => this.#token(pick)));
        return null;
      case 'close':
        await this.#close(op.picks.map((pick) => this.#token(pick)));
        return null;
      case 'use':
        await this.#use(this.#token(op.pick));
        return null;
      case 'endUse':
        if (this.#uses.length > 0) this.#endUse(op.pick % this.#uses.length);
        return null;
      case 'advance':
        this.#services.clock.advance(op.ms);
        this.#model.now += op.ms;
        return null;
      case 'unload':
        this.#unload(op.pick);
        return null;
      case 'stream':
        this.#startStream();
        return null;
      case 'next':
        return this.#next(op.pick);
      case 'disconnect': {
        const stream = this.#streams[op.pick % Math.max(1, this.#streams.length)];
        if (stream !== undefined) await this.#disconnect(stream);
        return null;
      }
    }
  }

  async #load(ttl: number | null): Promise<void> {
    const source = { case: 'rawBtf', value: intBtf() } as const;
    const { result } = await callLoad(this.#services, { source, ...ttlField(ttl) }, callBy());
    if (result.case !== 'handle') throw new Error('no handle');
    this.#granted(create(HandleSchema, result.value), null, ttl);
  }

  async #open(pick: number, ttl: number | null): Promise<void> {
    const ids = this.#model.ids();
    // Sometimes one that does not exist.
    const id = pick % 5 === 0 ? pick + 1 : (ids[pick % ids.length] ?? 1);
    const open = async () =>
      getHandleById(this.#services)(create(GetHandleByIdRequestSchema, { id, ...ttlField(ttl) }), callBy());
    if (!ids.includes(id)) {
      this.#check('H3', (await failureOf(open)).reason, ErrorReason.BTF_ID_NOT_FOUND);
      return;
    }
    this.#granted(create(HandleSchema, (await open()).handle), id, ttl);
  }

  async #clone(token: string, ttl: number | null): Promise<void> {
    const clone = async () =>
      cloneHandle(this.#services)(create(CloneHandleRequestSchema, { token, ...ttlField(ttl) }), callBy());
    const handle = await this.#openOrRefused(token, clone);
    if (handle === null) return;
    this.#model.renew(handle);
    const cloned = create(HandleSchema, (await clone()).handle);
    this.#check('H6', cloned.token === token, false);
    this.#granted(cloned, handle.id, ttl);
  }

  async #take(token: string, ttl: number | null): Promise<void> {
    const take = async () =>
      takeHandle(this.#services)(create(TakeHandleRequestSchema, { token, ...ttlField(ttl) }), callBy());
    const handle = await this.#openOrRefused(token, take);
    if (handle === null) return;
    const property = handle.ttlMs === null ? 'S3' : 'S4';
    this.#model.take(handle, ttl);
    const taken = create(HandleSchema, (await take()).handle);
    this.#check(property, [taken.token, ttlOf(taken.grantedTtl)], [token, handle.ttlMs]);
  }

  async #info(token: string): Promise<void> {
    const info = async () =>
      getHandleInfo(this.#services)(create(GetHandleInfoRequestSchema, { token }), callBy());
    const handle = await this.#openOrRefused(token, info);
    if (handle === null) return;
    const returned = create(HandleSchema, (await info()).handle);
    const { id, removed } = returned.info ?? {};
    this.#check('H3', [id, removed], [handle.id, this.#model.unloaded.has(handle.id)]);
    const lease = [ttlOf(returned.grantedTtl), ttlOf(returned.remainingTtl)];
    this.#check(handle.ttlMs === null ? 'S1' : 'L5', lease, [handle.ttlMs, this.#model.remaining(handle)]);
  }

  async #renew(tokens: string[]): Promise<void> {
    const request = create(RenewHandlesRequestSchema, { tokens });
    const { results = [] } = await renewHandles(this.#services)(request, callBy());
    const expected = tokens.map((token) => {
      const handle = this.#model.handles.get(token);
      if (handle !== undefined) this.#model.renew(handle);
      return [handle !== undefined, handle?.ttlMs ?? null];
    });
    const returned = results.map(({ open, remainingTtl }) => [open, ttlOf(remainingTtl)]);
    this.#check('L7', returned, expected);
    this.#check('L3', returned, expected);
  }

  async #close(tokens: string[]): Promise<void> {
    const { wasOpen } = await closeHandles(this.#services)(
      create(CloseHandlesRequestSchema, { tokens }),
      callBy(),
    );
    const expected = tokens.map((token) => {
      const handle = this.#model.handles.get(token);
      if (handle !== undefined) this.#model.close(handle);
      if (handle !== undefined && handle.uses > 0) this.#check('L6', handle.uses > 0, true);
      return handle !== undefined;
    });
    this.#check('H5', wasOpen, expected);
  }

  async #use(token: string): Promise<void> {
    const use = () => this.#services.handles.use(LOADER, token);
    const handle = await this.#openOrRefused(token, use);
    if (handle === null) return;
    handle.uses += 1;
    this.#model.signOfLife(handle.stream);
    this.#uses.push({ use: use(), handle });
  }

  #endUse(index: number): void {
    for (const { use, handle } of this.#uses.splice(index, 1)) {
      use[Symbol.dispose]();
      handle.uses -= 1;
      this.#model.renew(handle);
      this.#check('L4', this.#model.handles.has(handle.token), this.#isOpen(handle.token));
    }
  }

  #unload(pick: number): void {
    const modules = [...this.#model.kernelIds].slice(1);
    const id = modules[pick % Math.max(1, modules.length)];
    if (id === undefined) return;
    this.#services.kernel.remove(id);
    this.#model.kernelIds.delete(id);
    this.#model.unloaded.add(id);
  }

  #startStream(): void {
    const model = { lastId: 0, waits: null, stallsAt: 0, released: false, ended: false };
    const abort = new AbortController();
    const request = create(IterateHandlesRequestSchema, { hold: true });
    const messages = iterateHandles(this.#services)(request, callBy(LOADER, abort.signal));
    this.#model.streams.push(model);
    this.#streams.push({ model, messages: messages[Symbol.asyncIterator](), abort, answer: null });
  }

  #next(pick: number): { stream: ModelStream; outcome: StreamOutcome } | null {
    const ready = this.#streams.filter(({ model }) => !model.ended && model.waits === null);
    const stream = ready[pick % Math.max(1, ready.length)];
    if (stream === undefined) return null;
    stream.answer = null;
    void answerOf(stream).then((answer) => (stream.answer = answer));
    return { stream: stream.model, outcome: this.#model.pull(stream.model) };
  }

  async #disconnect({ model, messages, abort }: Stream): Promise<void> {
    const held = this.#model.heldBy(model).map(({ token }) => token);
    const isWaiting = model.waits !== null;
    this.#model.endStream(model);
    abort.abort(new Error('the client is gone'));
    // A stream that waits ends by its signal, any other by `return`.
    if (!isWaiting) await messages.return?.();
    await setImmediate();
    for (const token of held) this.#check('S2', this.#isOpen(token), false);
  }

  #compareStream(stream: Stream, outcome: StreamOutcome | undefined): void {
    const { model, answer } = stream;
    if (outcome === undefined) return;
    const property = typeof outcome === 'number' ? 'S1' : OUTCOME_PROPERTIES[outcome];
    this.#check(property, answer?.outcome ?? 'waits', outcome);
    if (typeof outcome !== 'number' || answer === null) return;
    this.#given(answer.token);
    this.#model.hold(answer.token, outcome, model);
  }

  /** Checks the properties that hold after every operation. */
  #compareAll(): void {
    const { handles, kernel, clock } = this.#services;
    const model = this.#model;
    const open = [...model.handles.values()];
    this.#check('H1', [kernel.openCount, handles.size], [open.length, open.length]);
    this.#check(
      'H3',
      kernel.ids().toSorted((a, b) => a - b),
      model.ids(),
    );
    // The number is right, so no other handle is open.
    for (const { token } of open) this.#check('L2', this.#isOpen(token), true);
    const leases = open.filter(({ ttlMs }) => ttlMs !== null).length;
    const { granted, expired, closed } = handles.leases;
    this.#check('H2', granted - expired - closed, leases);
    const waiting = model.streams.filter(({ waits }) => waits !== null).length;
    // All leases have one timer.
    this.#check('H2', clock.timers, Math.min(leases, 1) + waiting);
    for (const stream of model.streams) {
      this.#check('S5', model.heldBy(stream).length <= BOUNDS.maxHeldPerStream, true);
    }
  }

  #granted(handle: Handle, id: number | null, ttl: number | null): void {
    const { token, info, grantedTtl, remainingTtl, daemonEpoch } = handle;
    this.#given(token);
    const granted = this.#model.grant(token, id ?? info?.id ?? 0, ttl);
    this.#check('L1', [ttlOf(grantedTtl), ttlOf(remainingTtl)], [granted.ttlMs, granted.ttlMs]);
    this.#check('D1', [info?.id, daemonEpoch], [granted.id, EPOCH]);
  }

  #given(token: string): void {
    this.#check('H4', this.#tokens.includes(token), false);
    this.#tokens.push(token);
  }

  /** Returns the open handle with a token; null if a use is refused for the right reason. */
  async #openOrRefused(token: string, use: () => unknown): Promise<ModelHandle | null> {
    const handle = this.#model.handles.get(token);
    if (handle !== undefined) return handle;
    const { reason } = await failureOf(use);
    if (token.startsWith(OTHER_EPOCH)) this.#check('D2', reason, ErrorReason.HANDLE_OF_EARLIER_DAEMON);
    else this.#check('H4', reason, ErrorReason.HANDLE_NOT_FOUND);
    return null;
  }

  #isOpen(token: string): boolean {
    try {
      return this.#services.handles.peek(LOADER, token).token === token;
    } catch {
      return false;
    }
  }

  /** Returns a token, mostly of an open handle. */
  #token(pick: number): string {
    const open = [...this.#model.handles.keys()];
    const tokens = pick % 4 === 0 || open.length === 0 ? this.#tokens : open;
    return tokens[Math.floor(pick / 4) % tokens.length] ?? '';
  }

  #check(property: string, actual: unknown, expected: unknown): void {
    if (!isDeepStrictEqual(actual, expected)) {
      throw new Error(`${property}: is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
    }
    this.#checks.set(property, (this.#checks.get(property) ?? 0) + 1);
  }
}

/** The property that each outcome of a stream shows. */
const OUTCOME_PROPERTIES = { done: 'S6', stalled: 'S7', waits: 'S5' } as const;

async function answerOf({ messages }: Stream): Promise<Stream['answer']> {
  try {
    const { done, value } = await messages.next();
    if (done === true) return { outcome: 'done', token: '' };
    return { outcome: value.handle?.info?.id ?? 0, token: value.handle?.token ?? '' };
  } catch (error) {
    const isStall = error instanceof ServiceError && error.reason === ErrorReason.HOLD_STALLED;
    // The error of a cancelled stream does not matter.
    return { outcome: isStall ? 'stalled' : 'waits', token: '' };
  }
}

function ttlField(ttl: number | null) {
  return ttl === null ? {} : { ttl: durationFromMs(ttl) };
}

function ttlOf(ttl: MessageInitShape<typeof HandleSchema>['grantedTtl']): number | null {
  return ttl === undefined ? null : durationMs({ ...durationFromMs(0), ...ttl });
}
