import type { BpfObjectInfo, BpfObjects } from '../kernel/kernel.js';

/** FakeBpfObjects are programs or maps in memory. */
export class FakeBpfObjects implements BpfObjects {
  /** Ids that are gone when their info is read. */
  readonly vanishing = new Set<number>();
  /** The error that each call fails with, if any. */
  failure: Error | null = null;
  /** How often they were listed from the beginning. */
  walks = 0;
  readonly #objects: BpfObjectInfo[] = [];

  /** add adds an object, and returns its id. */
  add(name: string, btfId: number, btfKeyTypeId = 0, btfValueTypeId = 0): number {
    return this.#objects.push({ name, btfId, btfKeyTypeId, btfValueTypeId });
  }

  nextId(after: number): number | null {
    this.#check();
    if (after === 0) this.walks += 1;
    return after < this.#objects.length ? after + 1 : null;
  }

  info(id: number): BpfObjectInfo | null {
    this.#check();
    return this.vanishing.has(id) ? null : (this.#objects[id - 1] ?? null);
  }

  #check(): void {
    if (this.failure !== null) throw this.failure;
  }
}
