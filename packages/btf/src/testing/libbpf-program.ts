import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the newer libbpf, with the loader and the C library that it needs. */
const LIBRARIES = fileURLToPath(new URL('../../../../.cache/tools/lib', import.meta.url));

/** LibbpfProgram is a small program that gcc builds with libbpf 1.7, which the tools of tests have. */
export class LibbpfProgram {
  readonly #folder = mkdtempSync(join(tmpdir(), 'libbpf-'));

  /** @param source declares what it uses of libbpf, so that the development files need not be installed. */
  constructor(source: string) {
    const file = this.file('program.c', source);
    // The library needs a newer C library than the one of the machine, which its own loader finds.
    const flags = ['-O1', '-Wl,--allow-shlib-undefined'];
    execFileSync('gcc', [...flags, '-o', this.path('program'), file, join(LIBRARIES, 'libbpf.so.1')], {
      stdio: 'pipe',
    });
  }

  /** run runs the program, and returns its output. @throws an error if its exit status is not 0. */
  run(args: readonly string[]): string {
    const loader = join(LIBRARIES, 'ld-linux-x86-64.so.2');
    const command = ['--library-path', LIBRARIES, this.path('program'), ...args];
    return execFileSync(loader, command, { stdio: 'pipe', encoding: 'utf8', maxBuffer: 1 << 28 });
  }

  /** file writes a file into the folder of the program, and returns its path. */
  file(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** path returns the path of a file in the folder of the program. */
  path(name: string): string {
    return join(this.#folder, name);
  }

  /** Removes the program and its files. */
  close(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
