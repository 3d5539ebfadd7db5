import { status } from '@grpc/grpc-js';
import { BtfError } from '../error/btf-error.js';
import { FakeObject, type FakeObjectInit } from './fake-object.js';

/** FakeEvent is an object that came or went. */
export interface FakeEvent {
  readonly kind: 'added' | 'removed';
  readonly object: FakeObject;
}

/** FakeKernel holds the objects of a fake daemon. */
export class FakeKernel {
  #objects: FakeObject[] = [];
  #lastId = 0;
  readonly #events: FakeEvent[] = [];
  /** Tells of each event by one of its own, `change`. */
  readonly changes = new EventTarget();

  /** What is there, in the order of ids. */
  get objects(): readonly FakeObject[] {
    return this.#objects;
  }

  /** All that ever happened. It grows. */
  get events(): readonly FakeEvent[] {
    return this.#events;
  }

  add(init: FakeObjectInit, transient = false): FakeObject {
    const { id = this.#lastId + 1 } = init;
    if (this.#objects.some((other) => other.id === id)) throw new TypeError(`there is a BTF object ${id}`);
    const object = new FakeObject(init, id, this.named('vmlinux'), transient);
    this.#lastId = Math.max(this.#lastId, id);
    this.#objects = [...this.#objects, object].toSorted((a, b) => a.id - b.id);
    this.#tell('added', object);
    return object;
  }

  /** Takes an object out, as unloading does with a module. Handles on it stay valid. */
  remove(id: number): void {
    const object = this.withId(id);
    object.removed = true;
    this.#objects = this.#objects.filter((other) => other !== object);
    this.#tell('removed', object);
  }

  /** The object of the kernel with a name, or null; users' objects have none. */
  named(name: string): FakeObject | null {
    return this.#objects.find((object) => object.origin !== 'user' && object.name === name) ?? null;
  }

  /** @throws BtfError BTF_ID_NOT_FOUND. */
  withId(id: number): FakeObject {
    const object = this.#objects.find((candidate) => candidate.id === id);
    if (object !== undefined) return object;
    throw new BtfError({
      code: status.NOT_FOUND,
      reason: 'BTF_ID_NOT_FOUND',
      message: `no BTF object has the id ${id}`,
      metadata: { id: String(id) },
    });
  }

  #tell(kind: FakeEvent['kind'], object: FakeObject): void {
    this.#events.push({ kind, object });
    this.changes.dispatchEvent(new Event('change'));
  }
}
