import { ErrorReason, Operation } from '@btfd/api';
import type { BtfNote } from '@btfd/btf';
import type { Caller } from '../auth/caller.js';
import { ServiceError } from '../error/service-error.js';
import type { HandleTable } from '../handle/handle-table.js';
import type { Access } from '../kernel/access.js';
import { infoOfFile, type BtfFile, type BtfFiles } from '../kernel/btf-files.js';
import type { Kernel, KernelObject, ObjectInfo } from '../kernel/kernel.js';
import type { ListedObject } from '../kernel/object-list.js';
import type { ObjectNames } from '../kernel/object-names.js';
import { openVisible } from '../handle/open-by-id.js';
import type { Quota } from '../quota/quota.js';
import { SharedQuota } from '../quota/shared-quota.js';
import type { BtfCache, CacheStats } from './btf-cache.js';
import { KeyedRuns } from '../base/shared-runs.js';
import type { LoadedBtf } from './loaded-btf.js';
import { sha256 } from '../base/slices.js';
import type { SpecName } from './spec-name.js';

/**
 * SpecObject is an object with its BTF. Until it is disposed of, the handle that named it is in use, and its bytes count for
 * the caller.
 */
export interface SpecObject extends Disposable {
  readonly info: ObjectInfo;
  readonly btf: LoadedBtf;
}

/** UnknownListener is called when an object is read whose BTF has parts that the daemon does not know. */
export type UnknownListener = (info: ObjectInfo, digest: string, notes: readonly BtfNote[]) => void;

/** SpecSource finds the BTF of an object by handle, id or name. */
export class SpecSource {
  readonly #kernel: Kernel;
  readonly #access: Access;
  readonly #files: BtfFiles;
  readonly #names: ObjectNames;
  readonly #handles: HandleTable;
  readonly #cache: BtfCache;
  readonly #inUse: SharedQuota;
  readonly #onUnknown: UnknownListener;
  /** Calls that wait for one look then share one read. */
  readonly #fileLooks = new KeyedRuns<BtfFile | null>();
  readonly #specReads = new KeyedRuns<LoadedBtf>();
  readonly #digestReads = new KeyedRuns<Uint8Array>();

  constructor(
    kernel: Kernel,
    access: Access,
    files: BtfFiles,
    names: ObjectNames,
    handles: HandleTable,
    cache: BtfCache,
    inUse: Quota,
    onUnknown: UnknownListener = () => {},
  ) {
    this.#kernel = kernel;
    this.#access = access;
    this.#files = files;
    this.#names = names;
    this.#handles = handles;
    this.#cache = cache;
    this.#inUse = new SharedQuota(inUse);
    this.#onUnknown = onUnknown;
  }

  /** The contents of the cache and how often it had the requested BTF. */
  get cacheStats(): CacheStats {
    return this.#cache.stats;
  }

  /**
   * Returns the object that a caller names.
   *
   * @throws ServiceError HANDLE_NOT_FOUND, BTF_ID_NOT_FOUND or NAME_NOT_FOUND if there is no such object.
   * @throws ServiceError ROLE_FORBIDS if the caller may not see it.
   * @throws ServiceError QUOTA_EXCEEDED if the caller reads too much BTF at one time.
   */
  async find(name: SpecName, caller: Caller): Promise<SpecObject> {
    switch (name.case) {
      case 'handle':
        return this.#findHeld(name.value, caller);
      case 'id': {
        this.#access.require(Operation.OPEN_BY_ID);
        const { object, info } = await openVisible(this.#kernel, this.#names, name.value, caller);
        return this.#readAndClose(object, info, caller);
      }
      case 'name':
        break;
    }
    return this.#findNamed(name.value, caller);
  }

  /**
   * atOnce returns the kernel's own BTF if a caller names it by name, it was read before, and it is wanted; otherwise null.
   *
   * @throws ServiceError QUOTA_EXCEEDED if the caller reads too much BTF at one time.
   */
  atOnce(name: SpecName, caller: Caller, isWanted?: (btf: LoadedBtf) => boolean): SpecObject | null {
    return name.case === 'name' ? this.#keptVmlinux(name.value, caller, isWanted) : null;
  }

  /** Returns the running kernel's own BTF, or null if it has none. */
  async vmlinux(): Promise<LoadedBtf | null> {
    try {
      using found = await this.#findNamed('vmlinux', null);
      return found.btf;
    } catch (error) {
      if (error instanceof ServiceError && NO_SUCH_NAME.has(error.reason)) return null;
      throw error;
    }
  }

  /** Returns the SHA-256 of an object's raw BTF. The object may be closed as soon as the call returns. */
  async digest({ info, object }: ListedObject): Promise<Uint8Array> {
    if (object === null) {
      return this.#digestReads.next(info.name, async () => sha256(await this.#files.read(info)));
    }
    // Objects that have left the kernel's list all have the id 0.
    if (info.id === 0) return sha256(await object.read());
    return this.#cache.digest(keyOf(info.id), () => object.read());
  }

  /**
   * Returns the SHA-256 of a file's raw BTF, which is read once for each identity.
   *
   * @throws ServiceError as `read` of the files does.
   */
  async digestOfFile(file: BtfFile): Promise<Uint8Array> {
    return this.#cache.digest(`file:${file.identity}`, async () => this.#files.read(file));
  }

  async #findHeld(token: string, caller: Caller): Promise<SpecObject> {
    const use = this.#handles.use(caller, token);
    try {
      const { object, info } = use.held;
      // Objects that have left the kernel's list all have the id 0.
      const key = info.id === 0 ? token : keyOf(info.id);
      return await this.#counted(caller, key, info, [use], () => this.#read(object, info.id));
    } catch (error) {
      use[Symbol.dispose]();
      throw error;
    }
  }

  /** @param caller - the caller for which its bytes count; null for the daemon itself */
  async #findNamed(name: string, caller: Caller | null): Promise<SpecObject> {
    const vmlinux = this.#keptVmlinux(name, caller);
    if (vmlinux !== null) return vmlinux;
    const listsIds = this.#access.refusal(Operation.LIST_IDS) === null;
    const named = listsIds ? await this.#names.open(name) : null;
    if (named !== null) return this.#readAndClose(named.object, named.info, caller);
    const file = await this.#fileLooks.next(name, async () => this.#files.find(name));
    if (file !== null) {
      // A file may be replaced by another of the same name, so it is read each time.
      const info = infoOfFile(file);
      const read = () => this.#specReads.next(name, () => this.#cache.getFresh(() => this.#files.read(file)));
      const found = await this.#counted(caller, `file:${name}`, info, [], read);
      return { ...found, info: { ...info, size: found.btf.bytes.length } };
    }
    this.#access.require(Operation.SPEC_BY_NAME);
    if (name === 'vmlinux') {
      throw new ServiceError(ErrorReason.KERNEL_WITHOUT_BTF, `no vmlinux in ${this.#files.dir}`);
    }
    const noModules = listsIds && !this.#names.kernelBtfHasIds;
    const why = noModules ? ': before Linux 5.11 modules have no BTF' : withUnderscores(name);
    const message = `the kernel has no BTF object named ${JSON.stringify(name)}${why}`;
    throw new ServiceError(ErrorReason.NAME_NOT_FOUND, message, { metadata: { name } });
  }

  #keptVmlinux(
    name: string,
    caller: Caller | null,
    isWanted?: (btf: LoadedBtf) => boolean,
  ): SpecObject | null {
    const info = this.#names.infoOfVmlinux(name);
    const btf = info === null ? null : this.#cache.kept(keyOf(info.id), isWanted);
    if (info === null || btf === null) return null;
    const taken = caller === null ? null : this.#inUse.take(caller.principal, keyOf(info.id), info.size);
    return { info, btf, [Symbol.dispose]: () => taken?.[Symbol.dispose]() };
  }

  async #readAndClose(object: KernelObject, info: ObjectInfo, caller: Caller | null): Promise<SpecObject> {
    try {
      return await this.#counted(caller, keyOf(info.id), info, [], () => this.#read(object, info.id));
    } finally {
      object.close();
    }
  }

  /** Reads BTF. It counts for the caller from before the read until the object is disposed of. */
  async #counted(
    caller: Caller | null,
    key: string,
    info: ObjectInfo,
    uses: readonly Disposable[],
    read: () => Promise<LoadedBtf>,
  ): Promise<SpecObject> {
    const taken = caller === null ? null : this.#inUse.take(caller.principal, key, info.size);
    try {
      const btf = await read();
      await this.#noteUnknown(info, btf);
      return {
        info,
        btf,
        [Symbol.dispose]() {
          taken?.[Symbol.dispose]();
          for (const use of uses) use[Symbol.dispose]();
        },
      };
    } catch (error) {
      taken?.[Symbol.dispose]();
      throw error;
    }
  }

  /** Reports the parts of BTF that the daemon does not know. Kinds can be those of the kernel's own BTF. */
  async #noteUnknown(info: ObjectInfo, btf: LoadedBtf): Promise<void> {
    const base = btf.split && btf.survey(null).typeCount === null ? await this.vmlinux() : null;
    const { notes } = btf.survey(base);
    if (notes.length > 0) this.#onUnknown(info, btf.shared.digest, notes);
  }

  async #read(object: KernelObject, id: number): Promise<LoadedBtf> {
    return this.#cache.get(keyOf(id), () => object.read('shared'));
  }
}

/** Returns how the kernel spells the name of a module that modprobe also takes with dashes. */
function withUnderscores(name: string): string {
  if (!name.includes('-')) return '';
  return `; names of modules have "_" in place of "-": ${JSON.stringify(name.replaceAll('-', '_'))}`;
}

function keyOf(id: number): string {
  return `id:${id}`;
}

const NO_SUCH_NAME: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.NAME_NOT_FOUND,
  ErrorReason.KERNEL_WITHOUT_BTF,
]);
