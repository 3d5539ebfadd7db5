import { BtfFormatError, BtfReadError } from '../format-error.js';
import { alignof } from '../query/alignof.js';
import { followed } from '../query/follow.js';
import { sizeof } from '../query/sizeof.js';
import type { Spec } from '../spec.js';
import {
  type Datasec,
  FuncLinkage,
  IntEncoding,
  Kind,
  type TypeId,
  VarLinkage,
  type VarSecinfo,
} from '../types.js';
import type { BtfEditor } from './btf-editor.js';

/** The sections whose variables and functions the loader finds in the kernel. The file has no bytes for them. */
const KSYMS = '.ksyms';
const KCONFIG = '.kconfig';

/** The name that libbpf gives to the variable that stands for each function. */
const DUMMY = 'dummy_ksym';
/** The size of each kernel symbol in a prepared `.ksyms`: that of its new type. */
const KSYM_SIZE = 4;

/** isExternSection reports whether a DATASEC has the externs of a loader, and no variables of the file. */
export function isExternSection(name: string): boolean {
  return name === KSYMS || name === KCONFIG;
}

/**
 * prepareExterns rewrites the externs of an object, which kernels reject as compilers write them, as libbpf does:
 *
 * - In `.ksyms` each variable becomes a global `int`. A function becomes global, and a dummy variable takes its place in
 *   the section. Its parameters without a name get one.
 * - In `.kconfig` each variable becomes global and gets its place in the map of libbpf.
 *
 * Strong and weak externs are rewritten in the same way. Modelled on `bpf_object__collect_externs` of libbpf.
 *
 * @param sections the data sections of the spec.
 * @throws BtfFormatError `INVALID_ARGUMENT` for an extern that is in neither section: the object is only a part.
 * @throws BtfFormatError `MALFORMED` if a section contains something else, or a Kconfig variable has no size.
 */
export function prepareExterns(spec: Spec, sections: readonly Datasec[], editor: BtfEditor): void {
  const externSections = sections.filter(({ name }) => isExternSection(name));
  checkParts(spec, new Set(externSections.flatMap(({ vars }) => vars.map(({ typeId }) => typeId))));
  const ksyms = new KernelSymbols(spec, editor);
  for (const section of externSections) {
    if (section.name === KSYMS) ksyms.prepare(section);
    else prepareKconfig(spec, section, editor);
  }
}

/** Rejects externs of other objects. Kernels do so too, but their log does not say why. */
function checkParts(spec: Spec, resolved: ReadonlySet<TypeId>): void {
  const isExtern = { [Kind.FUNC]: FuncLinkage.EXTERN, [Kind.VAR]: VarLinkage.EXTERN };
  for (const id of spec.typeIds()) {
    const kind = spec.kindOf(id);
    if ((kind !== Kind.FUNC && kind !== Kind.VAR) || resolved.has(id)) continue;
    const type = spec.typeById(id);
    if (!('linkage' in type) || type.linkage !== isExtern[kind]) continue;
    const [what, macros] = kind === Kind.FUNC ? ['function', '__ksym'] : ['variable', '__ksym or __kconfig'];
    const message =
      `${what} ${type.name} is extern: link this object with the one that defines it (bpftool gen object), ` +
      `or declare it with ${macros} if it is the kernel's`;
    throw new BtfFormatError('INVALID_ARGUMENT', message, { typeId: id });
  }
}

/** KernelSymbols prepares sections `.ksyms`. */
class KernelSymbols {
  readonly #spec: Spec;
  readonly #editor: BtfEditor;
  /** The types that are made on first use; 0 until then. */
  #int: TypeId = 0;
  #dummy: TypeId = 0;
  #dummyName = 0;
  /** Prototypes whose parameters have names. Many functions may share one. */
  readonly #named = new Set<TypeId>();

  constructor(spec: Spec, editor: BtfEditor) {
    this.#spec = spec;
    this.#editor = editor;
  }

  prepare({ id, vars }: Datasec): void {
    const prepared = vars.map(({ typeId }, i) => {
      const memberId = followed(this.#spec, id, typeId);
      const isFunction = this.#spec.kindOf(memberId) === Kind.FUNC;
      if (isFunction) this.#prepareFunction(memberId);
      else this.#prepareVariable(id, memberId);
      return {
        typeId: isFunction ? this.#dummyVariable() : memberId,
        offset: i * KSYM_SIZE,
        size: KSYM_SIZE,
      };
    });
    this.#editor.setSection(id, vars.length * KSYM_SIZE, prepared);
  }

  #prepareVariable(section: TypeId, id: TypeId): void {
    checkVariable(this.#spec, section, id, KSYMS);
    this.#editor.setWord(id, 2, this.#intType());
    this.#editor.setWord(id, 3, VarLinkage.GLOBAL);
  }

  #prepareFunction(id: TypeId): void {
    const spec = this.#spec;
    const type = spec.typeById(id);
    if (type.kind !== 'FUNC') return;
    this.#editor.setWord(id, 1, (Kind.FUNC << 24) | FuncLinkage.GLOBAL);
    const protoId = followed(spec, id, type.typeId);
    if (this.#named.has(protoId)) return;
    this.#named.add(protoId);
    const prototype = spec.kindOf(protoId) === Kind.FUNC_PROTO ? spec.typeById(protoId) : null;
    if (prototype?.kind !== 'FUNC_PROTO') return;
    for (const [i, { name, typeId }] of prototype.params.entries()) {
      // A parameter without a type is the "..." of a variadic function.
      if (name !== '' || typeId === 0) continue;
      this.#dummyVariable();
      this.#editor.setWord(protoId, 3 + i * 2, this.#dummyName);
    }
  }

  #dummyVariable(): TypeId {
    if (this.#dummy !== 0) return this.#dummy;
    const int = this.#intType();
    this.#dummyName = this.#editor.addName(DUMMY);
    this.#dummy = this.#editor.addType([this.#dummyName, Kind.VAR << 24, int, VarLinkage.GLOBAL]);
    return this.#dummy;
  }

  /** The first integer of 32 bits. libbpf uses void if there is none, and the kernel rejects the BTF. */
  #intType(): TypeId {
    if (this.#int !== 0) return this.#int;
    for (const id of this.#spec.typeIds()) {
      const type = this.#spec.kindOf(id) === Kind.INT ? this.#spec.typeById(id) : null;
      if (type?.kind !== 'INT' || type.bits !== 32) continue;
      this.#int = id;
      return id;
    }
    const encoding = (IntEncoding.SIGNED << 24) | 32;
    this.#int = this.#editor.addType([this.#editor.addName('int'), Kind.INT << 24, KSYM_SIZE, encoding]);
    return this.#int;
  }
}

/** Lays a section out as libbpf does: the largest alignments first, then the smallest sizes, then by name. */
function prepareKconfig(spec: Spec, { id, vars }: Datasec, editor: BtfEditor): void {
  const externs = vars.map((info) => kconfigVariable(spec, id, info));
  externs.sort((a, b) => b.alignment - a.alignment || a.size - b.size || compare(a.name, b.name));
  let end = 0;
  const placed = externs.map(({ info: { typeId, size: sectionSize }, size, alignment }): VarSecinfo => {
    const offset = Math.ceil(end / alignment) * alignment;
    end = offset + size;
    editor.setWord(typeId, 3, VarLinkage.GLOBAL);
    return { typeId, offset, size: sectionSize };
  });
  if (end > 0xffff_ffff) throw malformed(id, `section ${KCONFIG} has more than 4 GiB`);
  editor.setSection(id, end, placed);
}

interface KconfigVariable {
  readonly info: VarSecinfo;
  readonly name: string;
  readonly size: number;
  readonly alignment: number;
}

function kconfigVariable(spec: Spec, section: TypeId, info: VarSecinfo): KconfigVariable {
  const id = followed(spec, section, info.typeId);
  const { name } = checkVariable(spec, section, id, KCONFIG);
  try {
    const size = sizeof(spec, id);
    if (size > 0) return { info, name, size, alignment: alignof(spec, id) };
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
  }
  throw malformed(id, `Kconfig variable ${name} has a type without a size`);
}

/** @throws BtfFormatError `MALFORMED` if a member of a section is not a variable. */
function checkVariable(spec: Spec, section: TypeId, id: TypeId, name: string): { readonly name: string } {
  const type = spec.kindOf(id) === Kind.VAR ? spec.typeById(id) : null;
  if (type?.kind === 'VAR') return type;
  throw malformed(section, `section ${name} contains type id ${id}, which is not a variable`);
}

/** The order of C's `strcmp`, for names of ASCII characters. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function malformed(typeId: TypeId, message: string): BtfFormatError {
  return new BtfFormatError('MALFORMED', message, { typeId });
}
