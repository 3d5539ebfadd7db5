import type { BpfObjectInfo, BpfObjects } from '../kernel/kernel.js';

/** FakeBpfObjects are programs or maps in memory. */
export class FakeBpfObjects implements BpfObjects {
  /** Ids that are gone when their info is asked for. */
  readonly vanishing = new Set<number>();
  /** What each call fails with, if anything. */
  failure: Error | null = null;
  /** How often they were walked from the beginning. */
  walks = 0;
  private readonly objects: BpfObjectInfo[] = [];

  /** Adds one, and gives its id. */
  add(name: string, btfId: number): number {
    return this.objects.push({ name, btfId });
  }

  nextId(after: number): number | null {
    this.check();
    if (after === 0) this.walks += 1;
    return after < this.objects.length ? after + 1 : null;
  }

  info(id: number): BpfObjectInfo | null {
    this.check();
    return this.vanishing.has(id) ? null : (this.objects[id - 1] ?? null);
  }

  private check(): void {
    if (this.failure !== null) throw this.failure;
  }
}
