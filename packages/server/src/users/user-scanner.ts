import type { Clock } from '../base/clock.js';
import type { BpfObjectInfo, BpfObjects, Kernel } from '../kernel/kernel.js';
import { SharedRuns } from '../base/shared-runs.js';
import { btfHolders } from './btf-holders.js';
import { inSlices } from '../base/slices.js';
import { UserIndex } from './user-index.js';

/**
 * UserScanner finds the users of BTF objects: programs, maps and processes. It looks at every program and map of the
 * kernel, and at every file descriptor of every process, in slices of the event loop.
 */
export class UserScanner {
  readonly #scans = new SharedRuns(() => inSlices(this.#steps(), this.#clock));
  readonly #kernel: Kernel;
  readonly #procDir: string;
  readonly #clock: Clock;

  constructor(kernel: Kernel, procDir: string, clock: Clock) {
    this.#kernel = kernel;
    this.#procDir = procDir;
    this.#clock = clock;
  }

  /**
   * scan returns the users of all objects, from a scan that begins after the call. One scan runs at a time, and calls
   * during a scan share the next one. Requires CAP_SYS_ADMIN for programs and maps; finds only the processes that the
   * daemon may inspect.
   */
  async scan(): Promise<UserIndex> {
    return this.#scans.next();
  }

  *#steps(): Generator<void, UserIndex, void> {
    const index = new UserIndex();
    yield* bpfUsers(this.#kernel.programs, (id, { btfId, name }) => {
      index.mutable(btfId).programs.push({ id, name });
    });
    yield* bpfUsers(this.#kernel.maps, (id, { btfId, name, btfKeyTypeId, btfValueTypeId }) => {
      index.mutable(btfId).maps.push({ id, name, keyTypeId: btfKeyTypeId, valueTypeId: btfValueTypeId });
    });
    yield* btfHolders(this.#procDir, (btfId, holder) => index.mutable(btfId).processes.push(holder));
    return index;
  }
}

function* bpfUsers(
  objects: BpfObjects,
  found: (id: number, info: BpfObjectInfo) => void,
): Generator<void, void, void> {
  for (let id = objects.nextId(0); id !== null; id = objects.nextId(id)) {
    const info = objects.info(id);
    if (info !== null && info.btfId !== 0) found(id, info);
    yield;
  }
}
