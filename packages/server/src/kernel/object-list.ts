import { Operation } from '@btfd/api';
import { BpfError } from '@btfd/native';
import type { Access } from './access.js';
import type { BtfFiles } from './btf-files.js';
import type { Kernel, KernelObject, ObjectInfo } from './kernel.js';

/** ListedObject is an object as iteration finds it. */
export interface ListedObject {
  readonly info: ObjectInfo;
  /** The object held open, for whoever iterates to close; null where it is seen as a file only. */
  readonly object: KernelObject | null;
}

/** ObjectList finds the BTF objects of the machine: by id in the kernel, else as files, by name. */
export class ObjectList {
  private vmlinuxHasId = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly files: BtfFiles,
    private readonly access: Access,
  ) {}

  /**
   * Visits objects in the order of ids, behind `afterId`. What vanishes meanwhile is skipped. Where ids
   * can't be had, the objects that the kernel shows as files come with id 0.
   */
  *visit(afterId: number): Generator<ListedObject, void, void> {
    if (this.access.refusal(Operation.LIST_IDS) !== null) {
      yield* this.visitFiles();
      return;
    }
    if (afterId === 0 && !this.ensureVmlinuxId()) yield* this.visitVmlinuxFile();
    for (let id = this.kernel.nextId(afterId); id !== null; id = this.kernel.nextId(id)) {
      const object = openIfThere(this.kernel, id);
      if (object !== null) yield { info: infoOrClose(object, id), object };
    }
  }

  private *visitFiles(): Generator<ListedObject, void, void> {
    for (const { name, size } of this.files.list()) {
      yield { info: { id: 0, name, kernelBtf: true, size }, object: null };
    }
  }

  private *visitVmlinuxFile(): Generator<ListedObject, void, void> {
    const file = this.files.find('vmlinux');
    if (file !== null)
      yield { info: { id: 0, name: file.name, kernelBtf: true, size: file.size }, object: null };
  }

  /**
   * The kernel parses its own BTF, and gives it an id, when something needs it for the first time after
   * boot. Says whether vmlinux has an id, after making the kernel parse it if it had none.
   */
  ensureVmlinuxId(): boolean {
    if (this.vmlinuxHasId) return true;
    this.vmlinuxHasId = this.hasVmlinux();
    if (this.vmlinuxHasId || this.files.find('vmlinux') === null) return this.vmlinuxHasId;
    try {
      this.kernel.parseOwnBtf();
    } catch (error) {
      // It is listed as a file then.
      if (error instanceof BpfError) return false;
      throw error;
    }
    this.vmlinuxHasId = this.hasVmlinux();
    return this.vmlinuxHasId;
  }

  private hasVmlinux(): boolean {
    for (let id = this.kernel.nextId(0); id !== null; id = this.kernel.nextId(id)) {
      const object = openIfThere(this.kernel, id);
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
 * infoOrClose is an object's info; an object that has none to give is closed. `openedId` is the id that it was opened
 * by: the kernel says 0 of an object that left its list since.
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

/** openIfThere opens the object with an id; null if it vanished since it was listed. */
export function openIfThere(kernel: Pick<Kernel, 'open'>, id: number): KernelObject | null {
  try {
    return kernel.open(id);
  } catch (error) {
    if (error instanceof BpfError && error.code === 'ENOENT') return null;
    throw error;
  }
}
