import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The declarations of libbpf's `btf.h` that are used, so that its development files need not be installed. */
const SOURCE = `
#include <stdio.h>
struct btf;
struct btf *btf__parse(const char *path, void *ext);
struct btf *btf__parse_split(const char *path, struct btf *base);
int btf__dedup(struct btf *btf, const void *opts);
const void *btf__raw_data(const struct btf *btf, unsigned int *size);
long libbpf_get_error(const void *ptr);

int main(int argc, char **argv)
{
  struct btf *base = argc > 3 ? btf__parse(argv[3], NULL) : NULL;
  struct btf *btf = base ? btf__parse_split(argv[1], base) : btf__parse(argv[1], NULL);
  unsigned int size;
  if (libbpf_get_error(btf))
    return 1;
  int error = btf__dedup(btf, NULL);
  if (error)
    return -error;
  const void *data = btf__raw_data(btf, &size);
  FILE *out = fopen(argv[2], "wb");
  return !data || !out || fwrite(data, 1, size, out) != size || fclose(out);
}
`;

/** LibbpfDedup deduplicates with libbpf's `btf__dedup` (1.1 or newer), in a small program that gcc builds. */
export class LibbpfDedup {
  readonly #folder = mkdtempSync(join(tmpdir(), 'btf-dedup-'));

  constructor() {
    const source = this.#path('dedup.c');
    writeFileSync(source, SOURCE);
    const library = '-l:libbpf.so.1';
    execFileSync('gcc', ['-O1', '-o', this.#path('dedup'), source, library], { stdio: 'pipe' });
  }

  /** run deduplicates BTF that stands alone or is split from a base. */
  run(bytes: Uint8Array, base?: Uint8Array): Uint8Array {
    const [input, output, basePath] = [this.#path('in'), this.#path('out'), this.#path('base')];
    writeFileSync(input, bytes);
    if (base !== undefined) writeFileSync(basePath, base);
    const args = base === undefined ? [input, output] : [input, output, basePath];
    execFileSync(this.#path('dedup'), args, { stdio: 'pipe' });
    return new Uint8Array(readFileSync(output));
  }

  /** refusal returns the number of the error with which libbpf rejects BTF; 0 if it deduplicates it. */
  refusal(bytes: Uint8Array): number {
    writeFileSync(this.#path('in'), bytes);
    const { status } = spawnSync(this.#path('dedup'), [this.#path('in'), this.#path('out')]);
    if (status === null) throw new Error('libbpf was ended by a signal');
    return status;
  }

  /** Removes the program and its files. */
  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
