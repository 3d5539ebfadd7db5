import { Operation } from '@btfd/api';
import type { Access } from '../kernel/access.js';
import type { BtfFile, BtfFiles } from '../kernel/btf-files.js';
import type { Kernel, ObjectInfo } from '../kernel/kernel.js';
import { infoOrClose, openIfThere, type ObjectList } from '../kernel/object-list.js';
import type { OwnLoads } from '../kernel/own-loads.js';

/** ObjectKey identifies an object: a BTF id, or the size and name of an object that is only known as a file. */
export type ObjectKey = number | string;

/** ObjectKeys lists the objects that exist now, at the least cost. It opens an object only to read its info. */
export class ObjectKeys {
  /** The objects that are only known as files, by key. */
  #fileInfos: ReadonlyMap<string, ObjectInfo> = new Map();
  readonly #kernel: Pick<Kernel, 'open' | 'nextId'>;
  readonly #files: BtfFiles;
  readonly #access: Access;
  readonly #objects: Pick<ObjectList, 'ensureVmlinuxId'>;
  readonly #ownLoads: Pick<OwnLoads, 'mayBeOwn'>;

  constructor(
    kernel: Pick<Kernel, 'open' | 'nextId'>,
    files: BtfFiles,
    access: Access,
    objects: Pick<ObjectList, 'ensureVmlinuxId'>,
    ownLoads: Pick<OwnLoads, 'mayBeOwn'>,
  ) {
    this.#kernel = kernel;
    this.#files = files;
    this.#access = access;
    this.#objects = objects;
    this.#ownLoads = ownLoads;
  }

  /** prepare makes sure that vmlinux has an id or is known as a file. It is too costly to do for every list. */
  prepare(): void {
    if (!this.#byId) return;
    const file = this.#objects.ensureVmlinuxId() ? null : this.#files.find('vmlinux');
    this.#fileInfos = byKey(file === null ? [] : [file]);
  }

  /** keys returns the keys of the objects that are there now, in the order of ids or of files. */
  *keys(): Generator<ObjectKey, void, void> {
    if (!this.#byId) this.#fileInfos = byKey(this.#files.list());
    yield* this.#fileInfos.keys();
    if (!this.#byId) return;
    for (let id = this.#kernel.nextId(0); id !== null; id = this.#kernel.nextId(id)) yield id;
  }

  /** info returns the info of an object, or null if it is gone, or is or may be one of the daemon's own. */
  info(key: ObjectKey): ObjectInfo | null {
    if (typeof key === 'string') return this.#fileInfos.get(key) ?? null;
    const object = openIfThere(this.#kernel, key);
    if (object === null) return null;
    const info = infoOrClose(object, key);
    object.close();
    if (info.kernelBtf && info.name === 'vmlinux') this.#fileInfos = new Map();
    return this.#ownLoads.mayBeOwn(info) ? null : info;
  }

  get #byId(): boolean {
    return this.#access.refusal(Operation.LIST_IDS) === null;
  }
}

function byKey(files: readonly BtfFile[]): ReadonlyMap<string, ObjectInfo> {
  return new Map(
    files.map(({ name, size }) => [`${size}:${name}`, { id: 0, name, kernelBtf: true, size }] as const),
  );
}
