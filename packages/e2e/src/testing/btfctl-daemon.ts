import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { btfctl, type Ran } from './btfctl.js';
import { DaemonProcess } from './daemon-process.js';
import { HeldObject } from './held-object.js';
import { intBtf, refusedBtf } from './sample-btf.js';

/** BtfctlDaemon is a daemon for runs of btfctl, and a folder with files for their arguments. */
export class BtfctlDaemon implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'btfctl-'));
  /** A file with BTF that the kernel accepts: three types in 80 bytes. */
  readonly good = join(this.dir, 'good.btf');
  /** A file with BTF that the kernel refuses for its type 3. */
  readonly bad = join(this.dir, 'bad.btf');
  /** The environment in which btfctl uses the daemon. */
  readonly env: NodeJS.ProcessEnv;

  private constructor(readonly process: DaemonProcess) {
    this.env = { BTFD_ADDRESS: process.address };
    writeFileSync(this.good, intBtf(3, 'number'));
    writeFileSync(this.bad, refusedBtf(3, 'number'));
  }

  static async start(): Promise<BtfctlDaemon> {
    return new BtfctlDaemon(await DaemonProcess.start());
  }

  run(...args: string[]): Promise<Ran> {
    return btfctl(args, this.env);
  }

  /** Loads the BTF in `good`. */
  hold(): Promise<HeldObject> {
    return HeldObject.load(this.good, this.env);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.dir, { recursive: true });
    await this.process[Symbol.asyncDispose]();
  }
}
