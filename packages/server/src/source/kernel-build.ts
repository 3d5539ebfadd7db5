import { createHash } from 'node:crypto';
import { ErrorReason, Origin, type GetServerInfoResponseSchema } from '@btfd/api';
import type { Init } from '../base/message.js';
import { SharedRuns } from '../base/shared-runs.js';
import { ServiceError } from '../error/service-error.js';
import type { BtfFiles } from '../kernel/btf-files.js';
import type { Kernel, ObjectInfo } from '../kernel/kernel.js';
import type { ObjectList } from '../kernel/object-list.js';
import type { ObjectNames } from '../kernel/object-names.js';
import { openIfThere } from '../kernel/open-object.js';
import { originOf } from '../kernel/origin.js';
import type { SpecSource } from './spec-source.js';

/** BuildDigests identify the build of the kernel and its modules, as GetServerInfoResponse has them. */
export type BuildDigests = Required<
  Pick<Init<typeof GetServerInfoResponseSchema>, 'kernelDigest' | 'modulesDigest' | 'moduleCount'>
>;

/** The digest of a kernel that has no BTF. */
const NO_BTF: Uint8Array = new Uint8Array();

/**
 * KernelBuild computes the digests of the kernel's own BTF and of its modules. Each BTF is read once: an object with an id
 * never changes, and a file is read again if its identity changes. One run at a time serves all callers.
 */
export class KernelBuild {
  readonly #kernel: Pick<Kernel, 'open'>;
  readonly #files: Pick<BtfFiles, 'find'>;
  readonly #objects: ObjectList;
  readonly #names: ObjectNames;
  readonly #specs: SpecSource;
  readonly #runs = new SharedRuns(async () => this.#digests());

  constructor(
    kernel: Pick<Kernel, 'open'>,
    files: Pick<BtfFiles, 'find'>,
    objects: ObjectList,
    names: ObjectNames,
    specs: SpecSource,
  ) {
    this.#kernel = kernel;
    this.#files = files;
    this.#objects = objects;
    this.#names = names;
    this.#specs = specs;
  }

  /**
   * digests returns the digests of the kernel and its modules as they are now.
   *
   * @throws BpfError if the kernel refuses to list or to open objects.
   * @throws ServiceError if a file of BTF cannot be read.
   */
  async digests(): Promise<BuildDigests> {
    return this.#runs.next();
  }

  /**
   * kernelDigest returns the digest of the kernel alone. It is empty if the kernel has no BTF.
   *
   * @throws BpfError or ServiceError as `digests` does.
   */
  async kernelDigest(): Promise<Uint8Array> {
    const named = this.#objects.listsIds ? await this.#names.open('vmlinux') : null;
    if (named === null) return (await this.#digestOfFile('vmlinux')) ?? NO_BTF;
    try {
      return await this.#specs.digest(named);
    } finally {
      named.object.close();
    }
  }

  async #digests(): Promise<BuildDigests> {
    const modules = new Map<string, Uint8Array>();
    let kernelDigest = NO_BTF;
    for await (const info of this.#objects.visit()) {
      const origin = originOf(info);
      if (origin !== Origin.VMLINUX && origin !== Origin.MODULE) continue;
      const digest = info.id > 0 ? await this.#digestOfId(info) : await this.#digestOfFile(info.name);
      // It was unloaded after it was listed.
      if (digest === null) continue;
      if (origin === Origin.VMLINUX) kernelDigest = digest;
      else modules.set(info.name, digest);
    }
    const hash = createHash('sha256');
    for (const [name, digest] of [...modules].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`${name}\0`).update(digest);
    }
    return { kernelDigest, modulesDigest: new Uint8Array(hash.digest()), moduleCount: modules.size };
  }

  /** Returns null if the object is gone. */
  async #digestOfId(info: ObjectInfo): Promise<Uint8Array | null> {
    const object = openIfThere(this.#kernel, info.id);
    if (object === null) return null;
    try {
      return await this.#specs.digest({ info, object });
    } finally {
      object.close();
    }
  }

  /** Returns null if there is no such file. */
  async #digestOfFile(name: string): Promise<Uint8Array | null> {
    const file = await this.#files.find(name);
    if (file === null) return null;
    try {
      return await this.#specs.digestOfFile(file);
    } catch (error) {
      if (error instanceof ServiceError && error.reason === ErrorReason.NAME_NOT_FOUND) return null;
      throw error;
    }
  }
}
