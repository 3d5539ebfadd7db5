import type { Machine } from '../machine.js';
import type { BtfListEntry } from '../../testing/bpftool.js';

/** listInside returns the output of `bpftool -j btf list` in a machine. */
export async function listInside(machine: Machine): Promise<BtfListEntry[]> {
  return JSON.parse(await machine.sh('bpftool -j btf list'));
}

/** BpftoolType is a type in the output of `bpftool -j btf dump`, with 64-bit values as strings to keep them exact. */
export interface BpftoolType {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly size?: number;
  readonly members?: readonly {
    readonly name: string;
    readonly type_id: number;
    readonly bits_offset: number;
    readonly bitfield_size?: number;
  }[];
}

/** The types that `dumpInside` has returned. Several checks compare with those of vmlinux. */
const dumps = new WeakMap<Machine, Map<string, Promise<BpftoolType[]>>>();

/** dumpInside returns the types of a kernel object by its name, as bpftool in the machine prints them. */
export async function dumpInside(machine: Machine, name: string): Promise<BpftoolType[]> {
  const ofMachine = dumps.get(machine) ?? new Map<string, Promise<BpftoolType[]>>();
  dumps.set(machine, ofMachine);
  const types = ofMachine.get(name) ?? dump(machine, name);
  ofMachine.set(name, types);
  return types;
}

async function dump(machine: Machine, name: string): Promise<BpftoolType[]> {
  const text = await machine.sh(`bpftool -j ${baseOption(name)} btf dump file /sys/kernel/btf/${name}`);
  return JSON.parse(text.replaceAll(/"val":(-?\d+)/g, '"val":"$1"')).types;
}

/** cInside returns a kernel object as C by bpftool in the machine. */
export async function cInside(machine: Machine, name: string): Promise<string> {
  // bpftool 7.8 writes a line about the base to standard error, which `sh` would put before the C.
  const file = `/sys/kernel/btf/${name}`;
  const text = await machine.sh(`bpftool ${baseOption(name)} btf dump file ${file} format c 2>/dev/null`);
  // `sh` drops the line break at the end.
  return `${text}\n`;
}

function baseOption(name: string): string {
  return name === 'vmlinux' ? '' : '-B /sys/kernel/btf/vmlinux';
}
