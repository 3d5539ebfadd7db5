import { Operation } from '@btfd/api';
import { BpfError } from '@btfd/native';
import type { Access } from './access.js';
import type { BtfFiles } from './btf-files.js';
import type { Kernel, KernelObject, ObjectInfo } from './kernel.js';

/** ListedObject is an object found by ObjectList. */
export interface ListedObject {
  readonly info: ObjectInfo;
  /** The open object, which the caller must close, or null if it is only known as a file. */
  readonly object: KernelObject | null;
}

/**
 * ObjectList finds the BTF objects of the machine: by id in the kernel, or as files if the daemon may not list ids.
 *
 * Modelled on `btf.HandleIterator` of cilium/ebpf.
 */
export class ObjectList {
  #vmlinuxHasId = false;
  readonly #kernel: Kernel;
  readonly #files: BtfFiles;
  readonly #access: Access;

  constructor(kernel: Kernel, files: BtfFiles, access: Access) {
    this.#kernel = kernel;
    this.#files = files;
    this.#access = access;
  }

  /**
   * visit visits the objects above `afterId` in the order of ids. It skips objects that vanish meanwhile. If the daemon
   * may not list ids, it visits the objects that the kernel shows as files, with id 0.
   */
  *visit(afterId: number): Generator<ListedObject, void, void> {
    if (this.#access.refusal(Operation.LIST_IDS) !== null) {
      yield* this.#visitFiles();
      return;
    }
    if (afterId === 0 && !this.ensureVmlinuxId()) yield* this.#visitVmlinuxFile();
    for (let id = this.#kernel.nextId(afterId); id !== null; id = this.#kernel.nextId(id)) {
      const object = openIfThere(this.#kernel, id);
      if (object !== null) yield { info: infoOrClose(object, id), object };
    }
  }

  *#visitFiles(): Generator<ListedObject, void, void> {
    for (const { name, size } of this.#files.list()) {
      yield { info: { id: 0, name, kernelBtf: true, size }, object: null };
    }
  }

  *#visitVmlinuxFile(): Generator<ListedObject, void, void> {
    const file = this.#files.find('vmlinux');
    if (file !== null)
      yield { info: { id: 0, name: file.name, kernelBtf: true, size: file.size }, object: null };
  }

  /**
   * ensureVmlinuxId makes the kernel parse its own BTF if nothing has done so since boot, which gives it an id. It returns
   * whether vmlinux has an id. Requires CAP_SYS_ADMIN to list ids, and CAP_BPF to make the kernel parse its BTF.
   */
  ensureVmlinuxId(): boolean {
    if (this.#vmlinuxHasId) return true;
    this.#vmlinuxHasId = this.#hasVmlinux();
    if (this.#vmlinuxHasId || this.#files.find('vmlinux') === null) return this.#vmlinuxHasId;
    try {
      this.#kernel.parseOwnBtf();
    } catch (error) {
      // Then it is listed as a file.
      if (error instanceof BpfError) return false;
      throw error;
    }
    this.#vmlinuxHasId = this.#hasVmlinux();
    return this.#vmlinuxHasId;
  }

  #hasVmlinux(): boolean {
    for (let id = this.#kernel.nextId(0); id !== null; id = this.#kernel.nextId(id)) {
      const object = openIfThere(this.#kernel, id);
      if (object === null) continue;
      try {
        const { kernelBtf, name } = object.info();
        if (kernelBtf && name === 'vmlinux') return true;
      } finally {
        object.close();
      }
    }
    return false;
  }
}

/**
 * infoOrClose returns the info of an object, and closes the object if that fails.
 *
 * @param openedId the id that the object was opened by. The kernel reports 0 for an object that has left its list.
 */
export function infoOrClose(object: KernelObject, openedId = 0): ObjectInfo {
  try {
    const info = object.info();
    return info.id === 0 ? { ...info, id: openedId } : info;
  } catch (error) {
    object.close();
    throw error;
  }
}

/** openIfThere opens the object with an id. It returns null if the object vanished after it was listed. */
export function openIfThere(kernel: Pick<Kernel, 'open'>, id: number): KernelObject | null {
  try {
    return kernel.open(id);
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOENT') return null;
    throw error;
  }
}
