import type { Kernel, KernelObject, ObjectInfo } from './kernel.js';
import { infoOrClose } from './open-object.js';

/**
 * OwnLoads loads BTF for the daemon's own probes, and remembers the ids. These objects are hidden from clients.
 */
export class OwnLoads implements Pick<Kernel, 'load'> {
  readonly #ids = new Set<number>();
  #running = 0;
  readonly #kernel: Pick<Kernel, 'load'>;

  constructor(kernel: Pick<Kernel, 'load'>) {
    this.#kernel = kernel;
  }

  async load(bytes: Uint8Array, logSize: number): Promise<KernelObject> {
    this.#running += 1;
    try {
      const object = await this.#kernel.load(bytes, logSize);
      this.#ids.add(infoOrClose(object).id);
      return object;
    } finally {
      this.#running -= 1;
    }
  }

  /**
   * mayBeOwn reports whether an object is or may be one of the daemon's own. The kernel lists an object before the load
   * returns its id.
   */
  mayBeOwn({ id, kernelBtf }: ObjectInfo): boolean {
    return !kernelBtf && (this.#running > 0 || this.#ids.has(id));
  }
}
