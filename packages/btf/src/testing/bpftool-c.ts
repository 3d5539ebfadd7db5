import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bpftoolC } from 'test-tools';

/** cOfBytes returns BTF as C by bpftool, with words of its command line. */
export function cOfBytes(bytes: Uint8Array, words: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'btf-c-'));
  try {
    const path = join(folder, 'btf');
    writeFileSync(path, bytes);
    return bpftoolC(path, undefined, words);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
