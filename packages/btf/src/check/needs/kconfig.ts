import type { BpfLoader } from '../../core/rules/loader-rules.js';
import { BtfReadError } from '../../format-error.js';
import type { BpfObject } from '../../object/bpf-object.js';
import type { BpfExtern } from '../../object/extern-symbols.js';
import { sizeof } from '../../query/sizeof.js';
import type { Reference } from '../../reach/program.js';
import type { NamedVariable } from '../read-only.js';
import type { Need } from '../report.js';
import { FITS, need } from './need.js';

/** The extern whose value the loader knows. */
const VERSION = 'LINUX_KERNEL_VERSION';

/** Bytes from one variable to the next. Nothing but their number depends on it. */
const STRIDE = 16;

/** KconfigValues has the values of the variables of `.kconfig`, as far as they are known. */
export interface KconfigValues {
  readonly loader: BpfLoader;
  /** The number that references use for the section. No section of the file has it. */
  readonly section: number;
  /** The place of each variable in the section. */
  readonly offsets: ReadonlyMap<string, number>;
  readonly variables: readonly NamedVariable[];
}

/** kconfigValues returns the places of variables of `.kconfig`, and the value of `LINUX_KERNEL_VERSION`. */
export function kconfigValues(
  { elf, spec }: BpfObject,
  externs: readonly BpfExtern[],
  loader: BpfLoader,
  kernelVersion: number | null,
): KconfigValues {
  const section = elf.sectionCount;
  const offsets = new Map<string, number>();
  const variables: NamedVariable[] = [];
  for (const extern of externs) {
    if (extern.section !== '.kconfig') continue;
    const offset = offsets.size * STRIDE;
    offsets.set(extern.name, offset);
    if (extern.name !== VERSION || kernelVersion === null) continue;
    const size = integerSize(spec, extern);
    if (size !== 4 && size !== 8) continue;
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    const isLittle = elf.byteOrder === 'little';
    if (size === 4) view.setUint32(0, kernelVersion, isLittle);
    else view.setBigUint64(0, BigInt(kernelVersion), isLittle);
    variables.push({ name: VERSION, section, offset, bytes, isCertain: true, isGiven: false });
  }
  return { loader, section, offsets, variables };
}

/** readsKernelVersion reports whether an object has the extern `LINUX_KERNEL_VERSION`. */
export function readsKernelVersion(externs: readonly BpfExtern[]): boolean {
  return externs.some(({ section, name }) => section === '.kconfig' && name === VERSION);
}

/** resolveKconfig resolves an extern of `.kconfig`. */
export function resolveKconfig(
  { name, weak }: BpfExtern,
  { loader, section, offsets }: KconfigValues,
): { readonly need: Need; readonly reference: Reference } {
  const offset = offsets.get(name) ?? 0;
  return {
    need: need('KCONFIG', name, verdictOf(name, weak, loader), { optional: weak }),
    reference: { to: 'data', section, offset },
  };
}

function verdictOf(
  name: string,
  weak: boolean,
  loader: BpfLoader,
): readonly ['FITS' | 'UNKNOWN' | 'GUARDED' | 'FAILS', string] {
  if (loader === 'cilium' && weak) return ['FAILS', 'cilium/ebpf does not load weak variables of .kconfig'];
  if (name === VERSION) return FITS;
  if (name === 'LINUX_HAS_SYSCALL_WRAPPER') return TRIED;
  if (name === 'LINUX_HAS_BPF_COOKIE' && loader === 'libbpf') return TRIED;
  if (name.startsWith('CONFIG_')) {
    const without = weak ? 'its value is 0 if it is not set' : 'the load fails if it is not set';
    return ['UNKNOWN', `BTF has no configuration; ${without}`];
  }
  return weak && name.startsWith('LINUX_')
    ? ['GUARDED', 'the loader does not know it and sets it to 0']
    : ['FAILS', 'the loader does not know it'];
}

const TRIED = ['UNKNOWN', 'the loader tries it out'] as const;

function integerSize(spec: BpfObject['spec'], { typeId }: BpfExtern): number {
  try {
    return sizeof(spec, typeId);
  } catch (error) {
    if (error instanceof BtfReadError) return 0;
    throw error;
  }
}
