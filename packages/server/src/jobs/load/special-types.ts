import { BtfFormatError, Kind, type Spec, type TypeId } from '@btfd/btf';

/** Types visited in a step: a few milliseconds. */
const TYPES_PER_STEP = 50_000;

/** The prefix of structs that are special to BPF programs, including those of later kernels. */
const SPECIAL_STRUCT = 'bpf_';
/** Structs that contain elements of other types. */
const ROOTS: ReadonlySet<string> = new Set(['bpf_list_head', 'bpf_rb_root']);
/** Parts of the tags of pointers to objects of the kernel: `kptr`, `kptr_untrusted`, `percpu_kptr`, `uptr`. */
const POINTER_TAGS = ['kptr', 'uptr'];
const POINTER_TAG = new RegExp(POINTER_TAGS.join('|'));
/** The prefix of the tag that names the elements of a list or a tree. */
const CONTAINS = 'contains:';

/** SpecialTypes are the types that the kernel searches for when it checks BTF. */
export interface SpecialTypes {
  readonly structs: ReadonlySet<TypeId>;
  /** The structs that contain elements of other types. */
  readonly roots: ReadonlySet<TypeId>;
  /** Pointers to objects of the kernel. */
  readonly pointers: ReadonlySet<TypeId>;
  /** Maximum number of characters that are compared to find the elements of a list: those of the struct names and of the name itself. */
  readonly comparedCharacters: number;
}

/**
 * mayHaveSpecialTypes reports whether any string of BTF can be the name of a special type. If none can, the kernel does
 * not search. It reads no types, so the result also holds for BTF with unknown kinds.
 */
export function mayHaveSpecialTypes(rawBtf: Uint8Array): boolean {
  const bytes = Buffer.from(rawBtf.buffer, rawBtf.byteOffset, rawBtf.byteLength);
  return [SPECIAL_STRUCT, ...POINTER_TAGS].some((part) => bytes.includes(part));
}

/** specialTypes returns the special types. The generator yields when other jobs may have a turn. */
export function* specialTypes(spec: Spec): Generator<null, SpecialTypes, void> {
  const structs = new Set<TypeId>();
  const roots = new Set<TypeId>();
  const tags = new Set<TypeId>();
  let structCharacters = 0;
  let longestStruct = 0;
  let longestTag = 0;
  for (const id of spec.typeIds()) {
    if (id % TYPES_PER_STEP === 0) yield null;
    switch (spec.kindOf(id)) {
      case Kind.STRUCT: {
        const name = spec.nameOf(id);
        structCharacters += name.length + 1;
        longestStruct = Math.max(longestStruct, name.length + 1);
        if (name.startsWith(SPECIAL_STRUCT)) structs.add(id);
        if (ROOTS.has(name)) roots.add(id);
        break;
      }
      case Kind.TYPE_TAG:
        if (POINTER_TAG.test(tagName(spec, id) ?? '')) tags.add(id);
        break;
      case Kind.DECL_TAG: {
        const name = tagName(spec, id);
        if (name === null || name.startsWith(CONTAINS)) {
          longestTag = Math.max(longestTag, name?.length ?? spec.bytes.length);
        }
        break;
      }
      default:
    }
  }
  const pointers = tags.size === 0 ? tags : yield* pointersTo(spec, tags);
  const compared = Math.min(structCharacters, spec.endTypeId * Math.min(longestTag, longestStruct));
  return { structs, roots, pointers, comparedCharacters: compared + longestTag };
}

/** Returns the name of a tag, or null if it is too long to be read. The kernel accepts tags of any length. */
function tagName(spec: Spec, id: TypeId): string | null {
  try {
    return spec.nameOf(id);
  } catch (error) {
    if (error instanceof BtfFormatError && error.code === 'LIMIT_EXCEEDED') return null;
    throw error;
  }
}

/** Returns the pointers to tagged types. The pointers may be volatile. */
function* pointersTo(spec: Spec, tags: ReadonlySet<TypeId>): Generator<null, Set<TypeId>, void> {
  const pointers = new Set<TypeId>();
  for (const kind of [Kind.PTR, Kind.VOLATILE]) {
    for (const id of spec.typeIds()) {
      if (id % TYPES_PER_STEP === 0) yield null;
      if (spec.kindOf(id) !== kind) continue;
      const type = spec.typeById(id);
      if (type.kind === 'PTR' && tags.has(type.typeId)) pointers.add(id);
      if (type.kind === 'VOLATILE' && pointers.has(type.typeId)) pointers.add(id);
    }
  }
  return pointers;
}
