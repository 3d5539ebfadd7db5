import { execFileSync } from 'node:child_process';
import { btfGetFdById, btfGetNextId } from '@btfd/native';

/** BtfListEntry is an object in the list of bpftool. */
export interface BtfListEntry {
  readonly id: number;
  readonly size: number;
  readonly name?: string;
  readonly kernel?: boolean;
  readonly prog_ids: readonly number[];
  readonly map_ids: readonly number[];
  /** Absent if bpftool was built without the skeletons that find processes. */
  readonly pids?: readonly { readonly pid: number; readonly comm: string }[];
}

/** btfList returns the output of `bpftool -j btf list`. */
export function btfList(): BtfListEntry[] {
  return JSON.parse(bpftool('-j', 'btf', 'list'));
}

/** btfIds returns the ids of the kernel's BTF objects. It uses only bpf(2), not bpftool. */
export function btfIds(): number[] {
  const ids: number[] = [];
  for (let id = btfGetNextId(0); id !== null; id = btfGetNextId(id)) ids.push(id);
  return ids;
}

/** idsOfSize returns the ids of the kernel's BTF objects of one size: other tests load BTF of other sizes meanwhile. */
export function idsOfSize(bytes: number): number[] {
  return btfIds().filter((id) => {
    try {
      using object = btfGetFdById(id);
      return object.info().size === bytes;
    } catch {
      return false; // Closed meanwhile.
    }
  });
}

/** btfDump returns the types that `bpftool -j btf dump` prints, with 64-bit values as strings to keep them exact. */
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
