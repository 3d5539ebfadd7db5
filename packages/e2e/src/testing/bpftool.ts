import { execFileSync } from 'node:child_process';
import { btfGetNextId } from '@btfd/native';

/** BtfListEntry is an object as bpftool lists it. */
export interface BtfListEntry {
  readonly id: number;
  readonly size: number;
  readonly name?: string;
  readonly kernel?: boolean;
  readonly prog_ids: readonly number[];
  readonly map_ids: readonly number[];
  /** Where it was built with the means to find them. */
  readonly pids?: readonly { readonly pid: number; readonly comm: string }[];
}

/** btfList is `bpftool -j btf list`. */
export function btfList(): BtfListEntry[] {
  return JSON.parse(bpftool('-j', 'btf', 'list'));
}

/** btfIds lists the ids of the kernel's BTF objects, by bpf(2) alone: it needs no bpftool. */
export function btfIds(): number[] {
  const ids: number[] = [];
  for (let id = btfGetNextId(0); id !== null; id = btfGetNextId(id)) ids.push(id);
  return ids;
}

/** btfDump is `bpftool -j btf dump`, a type each; 64-bit values are strings, which JSON.parse keeps exact. */
export function btfDump(...source: readonly string[]): unknown[] {
  const text = bpftool(
    '-j',
    ...(source[0] === '-B' ? source.slice(0, 2) : []),
    'btf',
    'dump',
    ...sourceWords(source),
  );
  const { types }: { types: unknown[] } = JSON.parse(text.replaceAll(/"val":(-?\d+)/g, '"val":"$1"'));
  return types;
}

function sourceWords(source: readonly string[]): readonly string[] {
  return source[0] === '-B' ? source.slice(2) : source;
}

function bpftool(...args: readonly string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
}
