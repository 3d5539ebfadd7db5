import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBpftoolJson } from '../print/bpftool.js';
import type { Type } from '../types.js';

/** VMLINUX is the BTF of the running kernel. */
export const VMLINUX = '/sys/kernel/btf/vmlinux';

/** dumpFile returns the types that bpftool reads from a file, each in the form of `bpftoolJson`. */
export function dumpFile(path: string, basePath?: string): string[] {
  const base = basePath === undefined ? [] : ['-B', basePath];
  const output = execFileSync('bpftool', [...base, '-j', 'btf', 'dump', 'file', path], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { types }: { types: object[] } = JSON.parse(normalizeBpftoolJson(output));
  return types.map((type) => JSON.stringify(type));
}

/** dumpBytes is {@link dumpFile} for bytes, optionally split from a base. */
export function dumpBytes(bytes: Uint8Array, base?: Uint8Array): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'btf-'));
  try {
    const path = join(folder, 'btf');
    const basePath = join(folder, 'base');
    writeFileSync(path, bytes);
    if (base === undefined) return dumpFile(path);
    writeFileSync(basePath, base);
    return dumpFile(path, basePath);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** linkObjects links BPF objects into one with `bpftool gen object`, which is libbpf's static linker. */
export function linkObjects(objects: readonly string[]): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'btf-'));
  try {
    const path = join(folder, 'all.bpf.o');
    execFileSync('bpftool', ['gen', 'object', path, ...objects], { stdio: 'pipe' });
    return new Uint8Array(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** bpftoolJson returns a type as the library prints it, normalized for comparison with bpftool's output. */
export function bpftoolJson(type: Type): string {
  return normalizeBpftoolJson(toBpftoolJson(type));
}

/** normalizeBpftoolJson turns 64-bit values in bpftool's output into strings, which JSON.parse keeps exact. */
export function normalizeBpftoolJson(output: string): string {
  return output.replaceAll(/"val":(-?\d+)/g, '"val":"$1"');
}
