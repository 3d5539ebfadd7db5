import { ErrorReason, Operation } from '@btfd/api';
import { ServiceError } from '../error/service-error.js';
import type { HandleTable } from '../handle/handle-table.js';
import type { Access } from '../kernel/access.js';
import type { BtfFiles } from '../kernel/btf-files.js';
import type { Kernel, KernelObject, ObjectInfo } from '../kernel/kernel.js';
import { infoOrClose, type ObjectList } from '../kernel/object-list.js';
import { openById } from '../kernel/open-by-id.js';
import type { BtfCache } from './btf-cache.js';
import type { LoadedBtf } from './loaded-btf.js';

/** SpecObject is an object whose BTF was asked for. */
export interface SpecObject {
  readonly info: ObjectInfo;
  readonly btf: LoadedBtf;
}

/** What a request can name. */
export type SpecName =
  | { readonly case: 'handle'; readonly value: string }
  | { readonly case: 'id'; readonly value: number }
  | { readonly case: 'name'; readonly value: string };

/** SpecSource finds the BTF of an object by handle, id or name. */
export class SpecSource {
  constructor(
    private readonly kernel: Kernel,
    private readonly access: Access,
    private readonly files: BtfFiles,
    private readonly objects: ObjectList,
    private readonly handles: HandleTable,
    private readonly cache: BtfCache,
  ) {}

  /** The object that a request names. */
  async find(name: SpecName): Promise<SpecObject> {
    switch (name.case) {
      case 'handle': {
        using use = this.handles.use(name.value);
        return { info: use.held.info, btf: await this.read(use.held.object, use.held.info.id) };
      }
      case 'id':
        this.access.require(Operation.OPEN_BY_ID);
        return await this.readAndClose(openById(this.kernel, name.value));
      case 'name':
        return await this.findNamed(name.value);
    }
  }

  /** The running kernel's own BTF, or null where it has none. */
  async vmlinux(): Promise<LoadedBtf | null> {
    try {
      const { btf } = await this.findNamed('vmlinux');
      return btf;
    } catch (error) {
      if (error instanceof ServiceError && NO_SUCH_NAME.has(error.reason)) return null;
      throw error;
    }
  }

  private async findNamed(name: string): Promise<SpecObject> {
    if (this.access.refusal(Operation.LIST_IDS) === null) {
      const object = this.openNamed(name);
      if (object !== null) return await this.readAndClose(object);
    }
    const file = this.files.find(name);
    if (file !== null) {
      // A folder's files may be replaced under their name, so what was read before says nothing.
      const btf = await this.cache.getFresh(() => this.files.read(file));
      return { info: { id: 0, name, kernelBtf: true, size: btf.bytes.length }, btf };
    }
    if (name === 'vmlinux') {
      throw new ServiceError(ErrorReason.KERNEL_WITHOUT_BTF, `no vmlinux in ${this.files.dir}: the kernel has no BTF`);
    }
    const message = `the kernel has no BTF object named ${JSON.stringify(name)}`;
    throw new ServiceError(ErrorReason.NAME_NOT_FOUND, message, { metadata: { name } });
  }

  /** Opens the kernel's object with a name; users' objects have none. */
  private openNamed(name: string): KernelObject | null {
    for (const { info, object } of this.objects.visit(0)) {
      if (info.kernelBtf && info.name === name) return object;
      object?.close();
    }
    return null;
  }

  private async readAndClose(object: KernelObject): Promise<SpecObject> {
    const info = infoOrClose(object);
    try {
      return { info, btf: await this.read(object, info.id) };
    } finally {
      object.close();
    }
  }

  private async read(object: KernelObject, id: number): Promise<LoadedBtf> {
    return await this.cache.get(`id:${id}`, () => object.read());
  }
}

const NO_SUCH_NAME: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.NAME_NOT_FOUND,
  ErrorReason.KERNEL_WITHOUT_BTF,
]);
