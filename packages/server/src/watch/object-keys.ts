import { Operation } from '@btfd/api';
import type { Access } from '../kernel/access.js';
import type { BtfFile, BtfFiles } from '../kernel/btf-files.js';
import type { Kernel, ObjectInfo } from '../kernel/kernel.js';
import { infoOrClose, openIfThere, type ObjectList } from '../kernel/object-list.js';
import type { OwnLoads } from '../kernel/own-loads.js';

/** ObjectKey tells objects apart: a BTF id or, of what is seen as a file only, size and name. */
export type ObjectKey = number | string;

/** ObjectKeys finds out what is there as cheaply as can be: objects are opened for their info alone. */
export class ObjectKeys {
  /** What is seen as a file, by its key. */
  private fileInfos: ReadonlyMap<string, ObjectInfo> = new Map();

  constructor(
    private readonly kernel: Pick<Kernel, 'open' | 'nextId'>,
    private readonly files: BtfFiles,
    private readonly access: Access,
    private readonly objects: Pick<ObjectList, 'ensureVmlinuxId'>,
    private readonly ownLoads: Pick<OwnLoads, 'mayBeOwn'>,
  ) {}

  /** Sees to it that vmlinux has an id or is seen as a file. Too costly for every look. */
  prepare(): void {
    if (!this.byId) return;
    const file = this.objects.ensureVmlinuxId() ? null : this.files.find('vmlinux');
    this.fileInfos = byKey(file === null ? [] : [file]);
  }

  /** The keys of what is there now, in the order of ids or of files. */
  *keys(): Generator<ObjectKey, void, void> {
    if (!this.byId) this.fileInfos = byKey(this.files.list());
    yield* this.fileInfos.keys();
    if (!this.byId) return;
    for (let id = this.kernel.nextId(0); id !== null; id = this.kernel.nextId(id)) yield id;
  }

  /** What there is to tell of an object. Null where it is gone, or is the daemon's own as far as is known now. */
  info(key: ObjectKey): ObjectInfo | null {
    if (typeof key === 'string') return this.fileInfos.get(key) ?? null;
    const object = openIfThere(this.kernel, key);
    if (object === null) return null;
    const info = infoOrClose(object, key);
    object.close();
    if (info.kernelBtf && info.name === 'vmlinux') this.fileInfos = new Map();
    return this.ownLoads.mayBeOwn(info) ? null : info;
  }

  private get byId(): boolean {
    return this.access.refusal(Operation.LIST_IDS) === null;
  }
}

function byKey(files: readonly BtfFile[]): ReadonlyMap<string, ObjectInfo> {
  return new Map(
    files.map(({ name, size }) => [`${size}:${name}`, { id: 0, name, kernelBtf: true, size }] as const),
  );
}
