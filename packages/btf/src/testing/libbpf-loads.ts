import { readFileSync } from 'node:fs';
import { LibbpfProgram } from './libbpf-program.js';

/** The program, which virtual machines have, too. */
const SOURCE = readFileSync(new URL('../../../../testing/load-programs.c', import.meta.url), 'utf8');

/** Load is what became of loading one program of an object. */
export interface Load {
  /** 0, or a negative errno. */
  readonly result: number;
  /** The warnings of libbpf, with the log of the verifier. */
  readonly log: string;
}

/** LibbpfLoads loads programs of objects into the running kernel with libbpf 1.7, and unloads them. Attaches nothing. */
export class LibbpfLoads {
  readonly #program = new LibbpfProgram(SOURCE);

  /** run loads an object once for each of some programs, with no other program of it. */
  run(object: Uint8Array, programs: readonly string[]): Load[] {
    const path = this.#program.file('object.bpf.o', object);
    const [, ...logs] = this.#program.run(programs.flatMap((name) => [path, name])).split('\f');
    return logs.map((log) => ({ result: Number(/^result (-?\d+)$/m.exec(log)?.[1] ?? -1), log }));
  }

  /** Removes the program and its files. */
  close(): void {
    this.#program.close();
  }
}
