import type { Clock } from '../base/clock.js';
import type { BpfObjects, Kernel } from '../kernel/kernel.js';
import { SharedRuns } from '../base/shared-runs.js';
import { btfHolders } from './btf-holders.js';
import { inSlices } from '../base/slices.js';
import { UserIndex, type BpfUser } from './user-index.js';

/**
 * UserScanner finds out who uses the BTF objects: it looks at every program and map of the kernel, and at every
 * file descriptor of every process, in slices of the event loop.
 */
export class UserScanner {
  private readonly scans = new SharedRuns(() => inSlices(this.steps(), this.clock));

  constructor(
    private readonly kernel: Kernel,
    private readonly procDir: string,
    private readonly clock: Clock,
  ) {}

  /**
   * The users of all objects, looked for from now on. One scan runs at a time; who asks while it does gets the next
   * one, with all others who ask until that starts.
   */
  async scan(): Promise<UserIndex> {
    return this.scans.next();
  }

  private *steps(): Generator<void, UserIndex, void> {
    const index = new UserIndex();
    yield* bpfUsers(this.kernel.programs, (btfId, user) => index.to(btfId).programs.push(user));
    yield* bpfUsers(this.kernel.maps, (btfId, user) => index.to(btfId).maps.push(user));
    yield* btfHolders(this.procDir, (btfId, holder) => index.to(btfId).processes.push(holder));
    return index;
  }
}

function* bpfUsers(
  objects: BpfObjects,
  found: (btfId: number, user: BpfUser) => void,
): Generator<void, void, void> {
  for (let id = objects.nextId(0); id !== null; id = objects.nextId(id)) {
    const info = objects.info(id);
    if (info !== null && info.btfId !== 0) found(info.btfId, { id, name: info.name });
    yield;
  }
}
