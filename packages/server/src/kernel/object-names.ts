import { Origin } from '@btfd/api';
import type { BtfFiles } from './btf-files.js';
import type { Kernel, KernelObject, ObjectInfo } from './kernel.js';
import { originOf } from './origin.js';
import type { ObjectList } from './object-list.js';
import { infoOrClose, openIfThere } from './open-object.js';

/** The id of a name, or null if only a file has it, and the file that the kernel showed for it then. */
interface Remembered {
  readonly id: number | null;
  readonly identity: string;
  /** That of vmlinux, once it was opened. */
  info: ObjectInfo | null;
}

/** OpenObject is an object of the kernel, open until the caller closes it. */
export interface OpenObject {
  readonly info: ObjectInfo;
  readonly object: KernelObject;
}

/**
 * ObjectNames finds the kernel's objects by name. The kernel gives each load of a module another file in
 * `/sys/kernel/btf`, so an id that was found once is right as long as the file is the same. A name without a file is the
 * name of nothing. So only a new name costs a look at the ids, which concurrent calls share.
 */
export class ObjectNames {
  readonly #remembered = new Map<string, Remembered>();
  readonly #kernel: Pick<Kernel, 'open'>;
  readonly #files: BtfFiles;
  readonly #objects: Pick<ObjectList, 'idOf' | 'listsIds' | 'vmlinuxHasId'>;

  constructor(
    kernel: Pick<Kernel, 'open'>,
    files: BtfFiles,
    objects: Pick<ObjectList, 'idOf' | 'listsIds' | 'vmlinuxHasId'>,
  ) {
    this.#kernel = kernel;
    this.#files = files;
    this.#objects = objects;
  }

  /** Whether the kernel's own BTF has ids, which it has since Linux 5.11. Before, modules have no BTF at all. */
  get kernelBtfHasIds(): boolean {
    return this.#objects.vmlinuxHasId;
  }

  /**
   * open opens the kernel's object with a name, or returns null if there is none with an id. Needs access to ids.
   *
   * @throws BpfError if the kernel refuses to list or to open objects.
   */
  async open(name: string): Promise<OpenObject | null> {
    const id = await this.#idOf(name);
    const object = id === null ? null : openIfThere(this.#kernel, id);
    if (id === null || object === null) return null;
    const info = infoOrClose(object, id);
    const remembered = this.#remembered.get(name);
    if (remembered?.id === id && originOf(info) === Origin.VMLINUX) remembered.info = info;
    return { object, info };
  }

  /**
   * infoOfVmlinux returns the info of the kernel's own BTF without a call of bpf(2), if it was opened by this name; otherwise
   * null. It never leaves the kernel, and there is one for each boot, so its file need not be looked at again.
   */
  infoOfVmlinux(name: string): ObjectInfo | null {
    return this.#remembered.get(name)?.info ?? null;
  }

  /**
   * isLoaded reports whether an object is in the kernel under its id. A user's object is, while somebody holds it. Linux
   * 6.16 and 6.18 keep the id of an unloaded module while somebody holds it, so that the id alone says nothing.
   *
   * @throws BpfError if the kernel refuses to list or to open objects.
   */
  async isLoaded(info: ObjectInfo): Promise<boolean> {
    if (!info.kernelBtf || originOf(info) === Origin.VMLINUX) return true;
    const object = openIfThere(this.#kernel, info.id);
    object?.close();
    if (object === null) return false;
    // With a BPF token that opens objects. Then the id of a module that was loaded again meanwhile still counts.
    if (!this.#objects.listsIds) return this.#files.findNow(info.name) !== null;
    return (await this.#idOf(info.name)) === info.id;
  }

  async #idOf(name: string): Promise<number | null> {
    // Before the ids: if the module is loaded again meanwhile, the next call sees another file.
    const file = this.#files.findNow(name);
    if (file === null && this.#files.findNow('vmlinux') !== null) {
      this.#remembered.delete(name);
      return null;
    }
    const remembered = this.#remembered.get(name);
    const isSame = file !== null && remembered?.identity === file.identity;
    // vmlinux may get an id later.
    if (isSame && (remembered.id !== null || !this.#objects.vmlinuxHasId)) return remembered.id;
    const id = await this.#objects.idOf(name);
    if (file === null) this.#remembered.delete(name);
    else this.#remembered.set(name, { id, identity: file.identity, info: null });
    return id;
  }
}
