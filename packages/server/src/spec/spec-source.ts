import { ErrorReason, Operation } from '@btfd/api';
import type { Caller } from '../auth/caller.js';
import { ServiceError } from '../error/service-error.js';
import type { HandleTable, Use } from '../handle/handle-table.js';
import type { Access } from '../kernel/access.js';
import type { BtfFiles } from '../kernel/btf-files.js';
import type { Kernel, KernelObject, ObjectInfo } from '../kernel/kernel.js';
import type { ListedObject, ObjectList } from '../kernel/object-list.js';
import { openVisible } from '../kernel/open-by-id.js';
import type { BtfCache, CacheStats } from './btf-cache.js';
import { FileReads } from './file-reads.js';
import type { LoadedBtf } from './loaded-btf.js';
import { sha256 } from './sha256.js';
import type { SpecName } from './spec-name.js';

/** SpecObject is an object whose BTF was asked for. Until it is disposed of, the handle that named it is in use. */
export interface SpecObject extends Disposable {
  readonly info: ObjectInfo;
  readonly btf: LoadedBtf;
}

/** SpecSource finds the BTF of an object by handle, id or name. */
export class SpecSource {
  private readonly specReads = new FileReads<LoadedBtf>();
  private readonly digestReads = new FileReads<Uint8Array>();

  constructor(
    private readonly kernel: Kernel,
    private readonly access: Access,
    private readonly files: BtfFiles,
    private readonly objects: ObjectList,
    private readonly handles: HandleTable,
    private readonly cache: BtfCache,
  ) {}

  /** What the cache holds, and how often it had what was asked for. */
  get cacheStats(): CacheStats {
    return this.cache.stats;
  }

  /** The object that a caller names. */
  async find(name: SpecName, caller: Caller): Promise<SpecObject> {
    switch (name.case) {
      case 'handle':
        return this.findHeld(name.value, caller);
      case 'id': {
        this.access.require(Operation.OPEN_BY_ID);
        const { object, info } = openVisible(this.kernel, name.value, caller);
        return this.readAndClose(object, info);
      }
      case 'name':
        break;
    }
    return this.findNamed(name.value);
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

  /** The SHA-256 of an object's raw BTF. The object may be closed once this is under way. */
  async digest({ info, object }: ListedObject): Promise<Uint8Array> {
    if (object === null) return this.digestReads.get(info.name, () => sha256(this.files.read(info)));
    // Objects that left the kernel's list share the id 0.
    if (info.id === 0) return sha256(await object.read());
    return this.cache.digest(keyOf(info.id), () => object.read());
  }

  private async findHeld(token: string, caller: Caller): Promise<SpecObject> {
    const use = this.handles.use(caller, token);
    try {
      const { object, info } = use.held;
      return specObject(info, await this.read(object, info.id), use);
    } catch (error) {
      use[Symbol.dispose]();
      throw error;
    }
  }

  private async findNamed(name: string): Promise<SpecObject> {
    if (this.access.refusal(Operation.LIST_IDS) === null) {
      const named = this.openNamed(name);
      if (named !== null) return this.readAndClose(named.object, named.info);
    }
    const file = this.files.find(name);
    if (file !== null) {
      // A folder's files may be replaced under their name, so what was read before says nothing.
      const btf = await this.specReads.get(name, () => this.cache.getFresh(() => this.files.read(file)));
      return specObject({ id: 0, name, kernelBtf: true, size: btf.bytes.length }, btf, null);
    }
    if (name === 'vmlinux') {
      throw new ServiceError(
        ErrorReason.KERNEL_WITHOUT_BTF,
        `no vmlinux in ${this.files.dir}: the kernel has no BTF`,
      );
    }
    const message = `the kernel has no BTF object named ${JSON.stringify(name)}`;
    throw new ServiceError(ErrorReason.NAME_NOT_FOUND, message, { metadata: { name } });
  }

  /** Opens the kernel's object with a name; users' objects have none. */
  private openNamed(name: string): { readonly info: ObjectInfo; readonly object: KernelObject } | null {
    for (const { info, object } of this.objects.visit(0)) {
      if (object !== null && info.kernelBtf && info.name === name) return { info, object };
      object?.close();
    }
    return null;
  }

  private async readAndClose(object: KernelObject, info: ObjectInfo): Promise<SpecObject> {
    try {
      return specObject(info, await this.read(object, info.id), null);
    } finally {
      object.close();
    }
  }

  private async read(object: KernelObject, id: number): Promise<LoadedBtf> {
    return this.cache.get(keyOf(id), () => object.read());
  }
}

function keyOf(id: number): string {
  return `id:${id}`;
}

function specObject(info: ObjectInfo, btf: LoadedBtf, use: Use | null): SpecObject {
  return { info, btf, [Symbol.dispose]: () => use?.[Symbol.dispose]() };
}

const NO_SUCH_NAME: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.NAME_NOT_FOUND,
  ErrorReason.KERNEL_WITHOUT_BTF,
]);
