import type { ElfSymbol } from '../elf/elf-file.js';
import { Kind, type TypeId } from '../types.js';
import type { BpfObject } from './bpf-object.js';
import { isExternSection } from './externs.js';
import { isShared } from './visibility.js';

/** BpfExtern is a function or a variable that a BPF object expects of the kernel. */
export interface BpfExtern {
  readonly name: string;
  /** `FUNC` for a kernel function (kfunc), `VAR` for a variable of the kernel or a value of its configuration. */
  readonly kind: 'FUNC' | 'VAR';
  /** `.ksyms` for `__ksym`, `.kconfig` for `__kconfig`. */
  readonly section: string;
  /** The id of the function or variable in the object's BTF. */
  readonly typeId: TypeId;
  /** Whether the object also loads without it. */
  readonly weak: boolean;
}

const STB_WEAK = 2;
const STT_NOTYPE = 0;
const UNDEFINED = 0;

const EXTERN_KINDS = /* @__PURE__ */ new Map<number, BpfExtern['kind']>([
  [Kind.FUNC, 'FUNC'],
  [Kind.VAR, 'VAR'],
]);

/** undefinedSymbols returns the symbols that an object uses but does not define. Those of readExterns are among them. */
export function undefinedSymbols({ symbols }: Pick<BpfObject, 'symbols'>): ElfSymbol[] {
  return symbols.filter(
    (symbol) =>
      symbol.section === UNDEFINED && symbol.type === STT_NOTYPE && isShared(symbol) && symbol.name !== '',
  );
}

/**
 * readExterns returns the externs of a BPF object that its loader looks for in the kernel, in the order of its BTF. Modelled
 * on `bpf_object__collect_externs` of libbpf: an extern without an undefined symbol is not used, and is left out.
 *
 * @throws BtfFormatError `MALFORMED` if a name in a data section or of an extern lies outside the string section.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if a name is too long.
 */
export function readExterns({ spec, symbols }: BpfObject): BpfExtern[] {
  const bindings = new Map<string, number>();
  for (const { name, binding } of undefinedSymbols({ symbols }))
    if (name !== null) bindings.set(name, binding);
  const externs: BpfExtern[] = [];
  if (bindings.size === 0) return externs;
  for (const section of ['.ksyms', '.kconfig'].flatMap((name) => spec.typesByName(name))) {
    if (section.kind !== 'DATASEC' || !isExternSection(section.name)) continue;
    for (const { typeId } of section.vars) {
      const kind = typeId < spec.endTypeId ? EXTERN_KINDS.get(spec.kindOf(typeId)) : undefined;
      if (kind === undefined) continue;
      const name = spec.nameOf(typeId);
      const binding = bindings.get(name);
      if (binding === undefined) continue;
      externs.push({ name, kind, section: section.name, typeId, weak: binding === STB_WEAK });
    }
  }
  return externs;
}
