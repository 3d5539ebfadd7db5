/** The limits of the model. Times are in milliseconds. */
export const BOUNDS = {
  minTtlMs: 100,
  maxTtlMs: 1_000,
  defaultTtlMs: 500,
  maxHeldPerStream: 3,
  holdStallMs: 700,
};

/** ModelHandle is an open handle. */
export interface ModelHandle {
  readonly token: string;
  /** The object's id. */
  readonly id: number;
  /** Null while a stream holds it. */
  ttlMs: number | null;
  expiresAt: number;
  uses: number;
  stream: ModelStream | null;
}

/** ModelStream is a stream that holds handles. */
export interface ModelStream {
  /** The last object that it returned. */
  lastId: number;
  /** The thing that it waits for; null if it does not wait. */
  waits: 'for room' | 'to be empty' | null;
  /** When it ends for lack of a sign of life. */
  stallsAt: number;
  /** Whether a handle was released while it waited. */
  released: boolean;
  ended: boolean;
}

/** The result of a stream that was asked for its next object. */
export type StreamOutcome = number | 'done' | 'stalled' | 'waits';

/** LifecycleModel implements docs/lifecycle.md as simply as possible, without timers and callbacks. */
export class LifecycleModel {
  now = 0;
  /** Open handles by token. */
  readonly handles = new Map<string, ModelHandle>();
  readonly streams: ModelStream[] = [];
  /** Objects that the kernel keeps for itself. */
  readonly kernelIds = new Set<number>();
  /** Modules that were unloaded. */
  readonly unloaded = new Set<number>();

  /** The ids in the kernel's list: its own objects, and users' objects that are held. */
  ids(): number[] {
    const held = [...this.handles.values()].map(({ id }) => id).filter((id) => !this.unloaded.has(id));
    return [...new Set([...this.kernelIds, ...held])].toSorted((a, b) => a - b);
  }

  grant(token: string, id: number, askedMs: number | null): ModelHandle {
    const ttlMs = grantedTtl(askedMs);
    const handle = { token, id, ttlMs, expiresAt: this.now + ttlMs, uses: 0, stream: null };
    this.handles.set(token, handle);
    return handle;
  }

  hold(token: string, id: number, stream: ModelStream): void {
    this.handles.set(token, { token, id, ttlMs: null, expiresAt: Infinity, uses: 0, stream });
  }

  heldBy(stream: ModelStream): ModelHandle[] {
    return [...this.handles.values()].filter((handle) => handle.stream === stream);
  }

  /** The remaining time of a lease; null without one. */
  remaining({ ttlMs, uses, expiresAt }: ModelHandle): number | null {
    return ttlMs === null || uses > 0 ? ttlMs : expiresAt - this.now;
  }

  renew(handle: ModelHandle): void {
    if (handle.ttlMs !== null) handle.expiresAt = this.now + handle.ttlMs;
    this.signOfLife(handle.stream);
  }

  take(handle: ModelHandle, askedMs: number | null): void {
    handle.ttlMs ??= grantedTtl(askedMs);
    handle.expiresAt = this.now + handle.ttlMs;
    this.#release(handle);
  }

  close(handle: ModelHandle): void {
    this.handles.delete(handle.token);
    if (handle.stream !== null && handle.stream.waits !== null) handle.stream.released = true;
  }

  endStream(stream: ModelStream): void {
    Object.assign(stream, { ended: true, waits: null });
    for (const { token } of this.heldBy(stream)) this.handles.delete(token);
  }

  /** Returns the result of asking a stream for its next object. */
  pull(stream: ModelStream): StreamOutcome {
    if (this.heldBy(stream).length >= BOUNDS.maxHeldPerStream) return this.#wait(stream, 'for room');
    return this.#visit(stream);
  }

  /** Does everything that is due: leases expire, and waiting streams return. */
  settle(): Map<ModelStream, StreamOutcome> {
    for (const [token, { uses, expiresAt }] of this.handles) {
      if (uses === 0 && expiresAt <= this.now) this.handles.delete(token);
    }
    const outcomes = new Map<ModelStream, StreamOutcome>();
    for (const stream of this.streams) {
      if (stream.waits === null) continue;
      if (stream.released) outcomes.set(stream, this.#goOn(stream));
      else if (stream.stallsAt <= this.now) {
        outcomes.set(stream, 'stalled');
        this.endStream(stream);
      }
    }
    return outcomes;
  }

  signOfLife(stream: ModelStream | null): void {
    if (stream?.waits != null) stream.stallsAt = this.now + BOUNDS.holdStallMs;
  }

  #release(handle: ModelHandle): void {
    if (handle.stream !== null && handle.stream.waits !== null) handle.stream.released = true;
    handle.stream = null;
  }

  #goOn(stream: ModelStream): StreamOutcome {
    if (stream.waits === 'to be empty' && this.heldBy(stream).length > 0)
      return this.#wait(stream, 'to be empty');
    return this.#visit(stream);
  }

  #visit(stream: ModelStream): StreamOutcome {
    Object.assign(stream, { waits: null, released: false });
    // After its last object a stream looks for no more.
    const next = stream.lastId === Infinity ? undefined : this.ids().find((id) => id > stream.lastId);
    stream.lastId = next ?? Infinity;
    if (next !== undefined) return next;
    if (this.heldBy(stream).length > 0) return this.#wait(stream, 'to be empty');
    this.endStream(stream);
    return 'done';
  }

  #wait(stream: ModelStream, waits: ModelStream['waits']): 'waits' {
    Object.assign(stream, { waits, released: false, stallsAt: this.now + BOUNDS.holdStallMs });
    return 'waits';
  }
}

function grantedTtl(askedMs: number | null): number {
  return Math.min(BOUNDS.maxTtlMs, Math.max(BOUNDS.minTtlMs, askedMs ?? BOUNDS.defaultTtlMs));
}
