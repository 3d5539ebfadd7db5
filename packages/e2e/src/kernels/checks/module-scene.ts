import { expect } from '@jest/globals';
import type { BtfClient } from '@btfd/client';
import { FollowedWatch } from '../../testing/followed-watch.js';
import { until } from '../../testing/until.js';
import { changedModule } from '../changed-module.js';
import type { Lab, MachineDaemon } from '../lab.js';
import { listInside } from './bpftool-inside.js';
import { reasonOf } from './check.js';

/** MODULE is a module that nothing needs, so that the tests can load and remove it. */
export const MODULE = 'dummy';

/** SceneOptions are the options of {@link Scene.open}. */
export interface SceneOptions {
  /** Default: {@link MODULE}. */
  readonly module?: string;
  /** The daemon that the client reaches. Default: the main one. */
  readonly daemon?: MachineDaemon;
}

/** Scene is a module that comes and goes, with a client and a watch. At first the module is not loaded. */
export class Scene implements AsyncDisposable {
  private constructor(
    private readonly lab: Lab,
    private readonly module: string,
    readonly client: BtfClient,
    readonly watch: FollowedWatch,
  ) {}

  static async open(lab: Lab, options: SceneOptions = {}): Promise<Scene> {
    const { module = MODULE, daemon = lab.mainDaemon() } = options;
    await lab.machine.sh(`rmmod ${module} 2>/dev/null; true`);
    const client = lab.client(daemon);
    const scene = new Scene(lab, module, client, FollowedWatch.start(client));
    await scene.watch.synced();
    return scene;
  }

  async load(): Promise<void> {
    await this.lab.machine.sh(`modprobe ${this.module}`);
  }

  /** Loads a module of the same name and size whose BTF has another name. */
  async loadChanged(letter: string): Promise<void> {
    const { machine } = this.lab;
    const path = `/tmp/${letter}/${this.module}.ko`;
    const original = await machine.read(`/lib/modules/${machine.kernel.release}/${this.module}.ko`);
    await machine.write(path, changedModule(original, letter));
    await machine.sh(`insmod ${path}`);
  }

  async remove(): Promise<void> {
    await this.lab.machine.sh(`rmmod ${this.module}`);
  }

  async file(): Promise<Buffer> {
    return this.lab.machine.read(`/sys/kernel/btf/${this.module}`);
  }

  async listed(): Promise<{ id: number }[]> {
    return (await this.client.listObjects()).filter(({ name }) => name === this.module);
  }

  /** Returns the types of the events of the module, in order. */
  events(): string[] {
    return this.watch.events.flatMap((event) =>
      'info' in event && event.info.name === this.module ? [event.type] : [],
    );
  }

  /** Returns the id of the loaded module in the daemon’s list. */
  async idOf(): Promise<number> {
    const objects = await this.listed();
    expect(objects).toHaveLength(1);
    return objects[0]?.id ?? 0;
  }

  async expectNoName(): Promise<void> {
    const error = await this.client.rawBtf(this.module).catch((cause: unknown) => cause);
    expect(reasonOf(error)).toBe('NAME_NOT_FOUND');
  }

  /** Expects that an object of the module is not listed, not served, and reported as removed. */
  async expectGone(id: number): Promise<void> {
    await until('the watch reports the removal', () => this.watch.of(id).includes('removed'));
    expect(await this.listed()).toEqual([]);
    await this.expectNoName();
    const error = await this.client.getHandleById(id).catch((cause: unknown) => cause);
    expect(reasonOf(error)).toBe('BTF_ID_NOT_FOUND');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.stop();
    await this.client.close();
    await this.lab.machine.sh(`rmmod ${this.module} 2>/dev/null; true`);
  }
}

/** hold makes a program in the machine hold an object. Returns its pid. */
export async function hold({ machine }: Lab, id: number): Promise<number> {
  return Number(await machine.sh(`guest-agent hold ${id} </dev/null >/dev/null 2>&1 & echo $!; sleep 0.2`));
}

/** newestId returns the newest id of {@link MODULE}, as the kernel lists it. */
export async function newestId({ machine }: Lab): Promise<number> {
  const ids = (await listInside(machine)).filter(({ name }) => name === MODULE).map(({ id }) => id);
  return Math.max(...ids);
}
