import type { Kernel, KernelObject, ObjectInfo } from './kernel.js';
import { infoOrClose } from './object-list.js';

/**
 * OwnLoads loads BTF for the daemon itself, to try out the kernel, and knows the objects that this makes: nobody is
 * told of them.
 */
export class OwnLoads implements Pick<Kernel, 'load'> {
  private readonly ids = new Set<number>();
  private running = 0;

  constructor(private readonly kernel: Pick<Kernel, 'load'>) {}

  async load(bytes: Uint8Array, logSize: number): Promise<KernelObject> {
    this.running += 1;
    try {
      const object = await this.kernel.load(bytes, logSize);
      this.ids.add(infoOrClose(object).id);
      return object;
    } finally {
      this.running -= 1;
    }
  }

  /**
   * Says whether an object is the daemon's own, or may turn out to be: the kernel lists an object before the load
   * that made it has told its id.
   */
  mayBeOwn({ id, kernelBtf }: ObjectInfo): boolean {
    return !kernelBtf && (this.running > 0 || this.ids.has(id));
  }
}
