import { Operation, Origin } from '@btfd/api';
import { BpfError } from '@btfd/native';
import type { Clock } from '../base/clock.js';
import { SharedRuns } from '../base/shared-runs.js';
import { inSlices } from '../base/slices.js';
import type { Access } from './access.js';
import { infoOfFile, type BtfFile, type BtfFiles } from './btf-files.js';
import type { Kernel, KernelObject, ObjectInfo } from './kernel.js';
import { originOf } from './origin.js';
import { infoOrClose, openIfThere } from './open-object.js';
import type { OwnLoads } from './own-loads.js';

/** ListedObject is an object of the list, opened. */
export interface ListedObject {
  readonly info: ObjectInfo;
  /** The open object, which the caller must close, or null if it is only known as a file. */
  readonly object: KernelObject | null;
}

/** ObjectChange is what happened to an object. */
export type ObjectChange = 'added' | 'removed';

/** A visitor that takes longer looks again, because a look also finds modules that were unloaded and keep their id. */
const CURRENT_MS = 1_000;

/** Known is an object that the kernel lists. */
interface Known {
  readonly info: ObjectInfo;
  /** Whether it was listed before the first look ended, so that it may have been unloaded before the daemon began. */
  readonly early: boolean;
  /**
   * `new` until the look that found it ends. `unsure` is a module that has no file yet: the kernel gives it an id first.
   * `gone` is a module that was unloaded, and whose id the kernel keeps until its last file descriptor is closed.
   */
  state: 'new' | 'unsure' | 'present' | 'gone';
}

/**
 * ObjectList is the one list of the BTF objects of the machine: by id in the kernel, or as files if the daemon may not
 * list ids. A look updates it. The kernel does not use an id again before 2^31 others, and objects never change, so a
 * look opens only objects that are new.
 *
 * Linux 6.16 and 6.18 keep the id of an unloaded module, and list it, while anybody holds the object; other releases free
 * it at once. So a module is in this list only while it has a file in `/sys/kernel/btf`, and only under the id that was
 * seen last. If the kernel shows no files at all, the second rule applies alone.
 *
 * Modelled on `btf.HandleIterator` of cilium/ebpf.
 */
export class ObjectList {
  /** In the order in which they were found: newer ones come later, also after the ids began again at 1. */
  readonly #known = new Map<number, Known>();
  /** The objects that are only known as files, by what identifies the file. */
  #onlyFiles: ReadonlyMap<string, ObjectInfo> = new Map();
  readonly #listeners = new Set<(change: ObjectChange, info: ObjectInfo) => void>();
  readonly #looks: SharedRuns<void>;
  #hasLooked = false;
  #hasParsed = false;
  #vmlinuxHasId = false;
  readonly #kernel: Pick<Kernel, 'open' | 'nextId' | 'parseOwnBtf'>;
  readonly #files: BtfFiles;
  readonly #access: Access;
  readonly #ownLoads: Pick<OwnLoads, 'mayBeOwn'>;
  readonly #clock: Clock;

  constructor(
    kernel: Pick<Kernel, 'open' | 'nextId' | 'parseOwnBtf'>,
    files: BtfFiles,
    access: Access,
    ownLoads: Pick<OwnLoads, 'mayBeOwn'>,
    clock: Clock,
  ) {
    this.#kernel = kernel;
    this.#files = files;
    this.#access = access;
    this.#ownLoads = ownLoads;
    this.#clock = clock;
    this.#looks = new SharedRuns(async () => {
      if (this.listsIds) return inSlices(this.#look(), clock);
      return inSlices(this.#setOnlyFiles(await this.#files.list()), clock);
    });
  }

  /** Whether a look has found an id of vmlinux. Before Linux 5.11 the kernel gives its own BTF none. */
  get vmlinuxHasId(): boolean {
    return this.#vmlinuxHasId;
  }

  /** Whether the daemon may list ids. */
  get listsIds(): boolean {
    return this.#access.refusal(Operation.LIST_IDS) === null;
  }

  /** onChange calls back for each object that a look adds or removes. */
  onChange(listener: (change: ObjectChange, info: ObjectInfo) => void): void {
    this.#listeners.add(listener);
  }

  /**
   * look updates the list, in slices. Calls that arrive during a look share the next one.
   *
   * @throws BpfError if the kernel refuses to list or to open objects.
   * @throws ServiceError if the files of BTF cannot be listed.
   */
  async look(): Promise<void> {
    await this.#looks.next();
  }

  /**
   * visit visits the objects above `afterId` in the order of ids, as they are at each step. If the daemon may not list ids,
   * it visits the objects that the kernel shows as files, with id 0.
   *
   * @throws as `look` does.
   */
  async *visit(afterId = 0): AsyncGenerator<ObjectInfo, void, void> {
    await this.look();
    if (afterId === 0) yield* this.#onlyFiles.values();
    if (!this.listsIds) return;
    let lookAt = this.#clock.now() + CURRENT_MS;
    for (let id = this.#kernel.nextId(afterId); id !== null; id = this.#kernel.nextId(id)) {
      if (this.#clock.now() > lookAt) {
        await this.look();
        lookAt = this.#clock.now() + CURRENT_MS;
      }
      const info = this.#visited(id) ?? (await this.#lookedUp(id));
      if (info !== null) yield info;
    }
  }

  /** Returns the info of an object that may be visited, or null if it needs a look first. */
  #visited(id: number): ObjectInfo | null {
    const known = this.#known.get(id);
    if (known?.state === 'present') return known.info;
    if (known !== undefined) return isNamed(known.info) ? null : known.info;
    const info = this.#infoOf(id);
    return info === null || isNamed(info) ? null : info;
  }

  /** Returns the info of an object of the kernel, or null if it is gone. It looks if the last look did not find the object. */
  async #lookedUp(id: number): Promise<ObjectInfo | null> {
    if (!this.#known.has(id)) await this.look();
    const known = this.#known.get(id);
    return known?.state === 'present' ? known.info : null;
  }

  /** present returns the objects as of the last change, those with an id in the order of ids. */
  present(): ObjectInfo[] {
    const infos = [...this.#known.values()].flatMap(({ state, info }) => (state === 'present' ? [info] : []));
    return [...this.#onlyFiles.values(), ...infos.toSorted((a, b) => a.id - b.id)];
  }

  /**
   * idOf looks, and returns the id of the kernel's object with a name, or null if there is none.
   *
   * @throws as `look` does.
   */
  async idOf(name: string): Promise<number | null> {
    await this.look();
    return this.#idOfPresent(name);
  }

  #idOfPresent(name: string): number | null {
    for (const [id, { state, info }] of this.#known) {
      if (state === 'present' && info.kernelBtf && info.name === name) return id;
    }
    return null;
  }

  /** Others may run between its steps. Each change is in the list as soon as it is reported. */
  *#look(): Generator<void, void, void> {
    // Before the ids: the kernel gives a module its id first, so the id of each file here is in the list below.
    const files = this.#files.namesNow();
    yield;
    let ids = yield* this.#listIds();
    if (files.has('vmlinux') && !this.#vmlinuxHasId && this.#parseVmlinux()) ids = yield* this.#listIds();
    const file = this.#vmlinuxHasId ? null : this.#files.findNow('vmlinux');
    yield* this.#removeUnloaded(ids, files);
    yield* this.#setOnlyFiles(file === null ? [] : [file]);
    yield* this.#addLoaded(ids, files);
    this.#hasLooked = true;
  }

  /** Returns the ids that the kernel lists now, and opens the objects that are new. */
  *#listIds(): Generator<void, ReadonlySet<number>, void> {
    const ids = new Set<number>();
    for (let id = this.#kernel.nextId(0); id !== null; id = this.#kernel.nextId(id)) {
      ids.add(id);
      if (!this.#known.has(id)) this.#meet(id);
      yield;
    }
    return ids;
  }

  #meet(id: number): void {
    const info = this.#infoOf(id);
    // The next look decides about a user's object that may belong to a probe of the daemon.
    if (info === null || this.#ownLoads.mayBeOwn(info)) return;
    if (isVmlinux(info)) this.#vmlinuxHasId = true;
    this.#known.set(id, { info, early: !this.#hasLooked, state: 'new' });
  }

  /** Returns the info of an object, or null if it is gone. */
  #infoOf(id: number): ObjectInfo | null {
    const object = openIfThere(this.#kernel, id);
    if (object === null) return null;
    const info = infoOrClose(object, id);
    object.close();
    return info;
  }

  /**
   * Makes the kernel parse its own BTF if nothing has done so since boot, which gives vmlinux an id. Returns whether the
   * kernel has done so now. Needs CAP_BPF.
   */
  #parseVmlinux(): boolean {
    if (this.#hasParsed) return false;
    try {
      this.#kernel.parseOwnBtf();
    } catch (error) {
      // Then it is listed as a file.
      if (error instanceof BpfError) return false;
      throw error;
    }
    this.#hasParsed = true;
    return true;
  }

  /** Removals come first, because a new object may replace an old one, such as a module that is loaded again. */
  *#removeUnloaded(ids: ReadonlySet<number>, files: ReadonlySet<string>): Generator<void, void, void> {
    const newest = this.#newestModules();
    for (const [id, known] of this.#known) {
      if (known.state === 'present' && !isLoaded(known, ids, newest, files)) {
        known.state = 'gone';
        this.#report('removed', known.info);
      }
      if (known.state === 'gone' && !ids.has(id)) this.#known.delete(id);
      yield;
    }
  }

  *#addLoaded(ids: ReadonlySet<number>, files: ReadonlySet<string>): Generator<void, void, void> {
    const newest = this.#newestModules();
    for (const [id, known] of this.#known) {
      yield;
      if (known.state !== 'new' && known.state !== 'unsure') continue;
      if (isLoaded(known, ids, newest, files)) {
        known.state = 'present';
        this.#report('added', known.info);
      } else if (known.state === 'new' && ids.has(id) && newest.get(known.info.name) === id) {
        known.state = 'unsure';
      } else {
        known.state = 'gone';
        if (!ids.has(id)) this.#known.delete(id);
        // It came and went between two looks, and the kernel still listed its id.
        if (known.early) continue;
        this.#report('added', known.info);
        this.#report('removed', known.info);
      }
    }
  }

  /** Returns the id of each name that was found last. */
  #newestModules(): ReadonlyMap<string, number> {
    const newest = new Map<string, number>();
    for (const [id, { info }] of this.#known) if (isNamed(info)) newest.set(info.name, id);
    return newest;
  }

  *#setOnlyFiles(files: readonly BtfFile[]): Generator<void, void, void> {
    const before = this.#onlyFiles;
    const now = new Map(files.map((file) => [file.identity, before.get(file.identity) ?? infoOfFile(file)]));
    const gone = [...before].filter(([key]) => !now.has(key));
    const added = [...now].filter(([key]) => !before.has(key));
    this.#onlyFiles = now;
    for (const [, info] of gone) this.#report('removed', info);
    yield;
    for (const [, info] of added) this.#report('added', info);
  }

  #report(change: ObjectChange, info: ObjectInfo): void {
    for (const listener of this.#listeners) listener(change, info);
  }
}

function isLoaded(
  { info }: Known,
  ids: ReadonlySet<number>,
  newest: ReadonlyMap<string, number>,
  files: ReadonlySet<string>,
): boolean {
  if (!ids.has(info.id)) return false;
  if (!isNamed(info)) return true;
  if (newest.get(info.name) !== info.id) return false;
  // Without sysfs, as in a container, there are no files at all.
  return !files.has('vmlinux') || files.has(info.name);
}

function isVmlinux(info: ObjectInfo): boolean {
  return originOf(info) === Origin.VMLINUX;
}

/** Whether it is an object of the kernel that can be replaced by another one of its name. */
function isNamed(info: ObjectInfo): boolean {
  return info.kernelBtf && !isVmlinux(info);
}
