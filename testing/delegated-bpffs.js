import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('delegated-bpffs.c', import.meta.url));

/**
 * DelegatedBpffs runs commands in a user namespace with a bpffs that delegates commands of bpf(2). Needs the tools gcc and
 * bpf-token.
 */
export class DelegatedBpffs {
  #dir = mkdtempSync(join(tmpdir(), 'delegated-bpffs-'));

  constructor() {
    execFileSync('gcc', ['-O', SOURCE, '-o', this.#program]);
    mkdirSync(this.folder);
  }

  /** The folder where a command sees the bpffs. */
  get folder() {
    return join(this.#dir, 'bpf');
  }

  get #program() {
    return join(this.#dir, 'delegated-bpffs');
  }

  /** wrapper returns a command that runs another command, with the value of the bpffs's option `delegate_cmds`. */
  wrapper(delegateCmds) {
    return [this.#program, this.folder, delegateCmds];
  }

  [Symbol.dispose]() {
    rmSync(this.#dir, { recursive: true });
  }
}
