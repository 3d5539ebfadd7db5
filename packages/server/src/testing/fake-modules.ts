import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { intBtf } from './btf-bytes.js';
import { FakeKernel } from './fake-kernel.js';
import { TempDir } from './temp-dir.js';

/** FakeModules is a kernel with modules and a folder that shows its BTF, as sysfs does. */
export class FakeModules implements Disposable {
  readonly kernel = new FakeKernel();
  readonly #sysfs = new TempDir();
  readonly #ids = new Map<string, number>();
  #written = 0;

  /** @param keepsIds whether an unloaded module keeps its id while somebody holds it. */
  constructor(keepsIds: boolean) {
    this.kernel.keepsIds = keepsIds;
    this.load('vmlinux');
  }

  /** The folder. */
  get dir(): string {
    return this.#sysfs.path;
  }

  /** load loads a module, whose BTF is an int with a name, and returns its id. The kernel gives the id before the file. */
  load(name: string, int = name): number {
    const id = this.allocate(name, int);
    this.show(name, int);
    return id;
  }

  /** allocate begins to load a module: it gives it an id. */
  allocate(name: string, int = name): number {
    const id = this.kernel.add(name, intBtf(int));
    this.#ids.set(name, id);
    return id;
  }

  /** show ends the load of a module: it shows its file. */
  show(name: string, int = name): void {
    // A new file each time, as in sysfs. The old one exists until then, so the new one has another number.
    this.#written += 1;
    renameSync(this.#sysfs.write(`.${this.#written}`, intBtf(int)), join(this.dir, name));
  }

  /** unload unloads a module. */
  unload(name: string): void {
    rmSync(join(this.dir, name));
    this.kernel.remove(this.#ids.get(name) ?? 0);
  }

  /** reload unloads a module, and loads another one of its name. It returns the new id. */
  reload(name: string, int: string): number {
    this.kernel.remove(this.#ids.get(name) ?? 0);
    return this.load(name, int);
  }

  [Symbol.dispose](): void {
    this.#sysfs[Symbol.dispose]();
  }
}
