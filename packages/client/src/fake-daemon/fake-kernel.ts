import { createHash } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import { FakeObject, type FakeObjectInit } from './fake-object.js';

/** FakeEvent records that an object was added or removed. */
export interface FakeEvent {
  readonly kind: 'added' | 'removed';
  readonly object: FakeObject;
}

/** FakeKernel holds the objects of a fake daemon. */
export class FakeKernel {
  #objects: FakeObject[] = [];
  #lastId = 0;
  readonly #events: FakeEvent[] = [];
  /** Dispatches `change` for each event. */
  readonly changes = new EventTarget();

  /** The objects in id order. */
  get objects(): readonly FakeObject[] {
    return this.#objects;
  }

  /** All events since the beginning. */
  get events(): readonly FakeEvent[] {
    return this.#events;
  }

  /** Adds an object and returns it. @throws TypeError if there is an object with its id; BtfFormatError if it is not BTF. */
  add(init: FakeObjectInit, transient = false): FakeObject {
    const { id = this.#lastId + 1 } = init;
    if (id > 0 && this.#objects.some((other) => other.id === id))
      throw new TypeError(`there is a BTF object ${id}`);
    const object = new FakeObject(init, id, this.named('vmlinux'), transient);
    this.#lastId = Math.max(this.#lastId, id);
    this.#objects = [...this.#objects, object].toSorted((a, b) => a.id - b.id);
    this.#record('added', object);
    return object;
  }

  /** Removes an object, as unloading a module does. Handles on it stay valid. @throws BtfError BTF_ID_NOT_FOUND. */
  remove(id: number): void {
    const object = this.withId(id);
    object.removed = true;
    this.#objects = this.#objects.filter((other) => other !== object);
    this.#record('removed', object);
  }

  /** Returns the kernel's object with a name, or null. Users' objects have no names. */
  named(name: string): FakeObject | null {
    return this.#objects.find((object) => object.origin !== 'user' && object.name === name) ?? null;
  }

  /** Returns the object with an id. @throws BtfError BTF_ID_NOT_FOUND. */
  withId(id: number): FakeObject {
    const object = this.#objects.find((candidate) => candidate.id === id && id > 0);
    if (object !== undefined) return object;
    throw new BtfError({
      code: status.NOT_FOUND,
      reason: 'BTF_ID_NOT_FOUND',
      message: `no BTF object has the id ${id}`,
      metadata: { id: String(id) },
    });
  }

  /** Returns the digests of vmlinux and of the modules, as a daemon computes them. */
  digests(): { kernelDigest: Uint8Array; modulesDigest: Uint8Array; moduleCount: number } {
    const modules = this.#objects.filter(({ origin }) => origin === 'module');
    const hash = createHash('sha256');
    for (const { name, digest } of modules.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      hash.update(`${name}\0`).update(digest);
    }
    return {
      kernelDigest: this.named('vmlinux')?.digest ?? new Uint8Array(),
      modulesDigest: new Uint8Array(hash.digest()),
      moduleCount: modules.length,
    };
  }

  #record(kind: FakeEvent['kind'], object: FakeObject): void {
    this.#events.push({ kind, object });
    this.changes.dispatchEvent(new Event('change'));
  }
}
