import { BtfFormatError, Kind, type Spec, type TypeId } from '@btfd/btf';

/** Types looked at in a step: a few milliseconds. */
const TYPES_PER_STEP = 50_000;

/** Structs that are special to BPF programs, those of later kernels included, have such names. */
const SPECIAL_STRUCT = 'bpf_';
/** The structs that contain others. */
const ROOTS: ReadonlySet<string> = new Set(['bpf_list_head', 'bpf_rb_root']);
/** Tags of pointers to objects of the kernel have these in them: `kptr`, `kptr_untrusted`, `percpu_kptr`, `uptr`. */
const POINTER_TAGS = ['kptr', 'uptr'];
const POINTER_TAG = new RegExp(POINTER_TAGS.join('|'));
/** The tag that says what a list or a tree contains. */
const CONTAINS = 'contains:';

/** SpecialTypes are the types for which the kernel searches when it checks BTF. */
export interface SpecialTypes {
  readonly structs: ReadonlySet<TypeId>;
  /** Those of the structs that contain others. */
  readonly roots: ReadonlySet<TypeId>;
  /** Pointers to objects of the kernel. */
  readonly pointers: ReadonlySet<TypeId>;
  /** Characters that finding what a list contains compares at most: names of structs, and that name itself. */
  readonly comparedCharacters: number;
}

/**
 * mayHaveSpecialTypes tells whether any string of BTF can be the name of a special type. Where none can, the kernel
 * searches for nothing. It reads no types, so that it holds for BTF with kinds that are unknown here, too.
 */
export function mayHaveSpecialTypes(rawBtf: Uint8Array): boolean {
  const bytes = Buffer.from(rawBtf.buffer, rawBtf.byteOffset, rawBtf.byteLength);
  return [SPECIAL_STRUCT, ...POINTER_TAGS].some((part) => bytes.includes(part));
}

/** specialTypes finds them. It yields where others may have a turn. */
export function* specialTypes(spec: Spec): Generator<null, SpecialTypes, void> {
  const structs = new Set<TypeId>();
  const roots = new Set<TypeId>();
  const tags = new Set<TypeId>();
  let structCharacters = 0;
  let longestStruct = 0;
  let longestTag = 0;
  for (let id = 1; id < spec.endTypeId; id++) {
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

/** The name of a tag; null for one that is too long to be read. The kernel takes tags of any length. */
function tagName(spec: Spec, id: TypeId): string | null {
  try {
    return spec.nameOf(id);
  } catch (error) {
    if (error instanceof BtfFormatError && error.code === 'LIMIT_EXCEEDED') return null;
    throw error;
  }
}

/** Pointers to tagged types, which may be volatile themselves. */
function* pointersTo(spec: Spec, tags: ReadonlySet<TypeId>): Generator<null, Set<TypeId>, void> {
  const pointers = new Set<TypeId>();
  for (const kind of [Kind.PTR, Kind.VOLATILE]) {
    for (let id = 1; id < spec.endTypeId; id++) {
      if (id % TYPES_PER_STEP === 0) yield null;
      if (spec.kindOf(id) !== kind) continue;
      const type = spec.typeById(id);
      if (type.kind === 'PTR' && tags.has(type.typeId)) pointers.add(id);
      if (type.kind === 'VOLATILE' && pointers.has(type.typeId)) pointers.add(id);
    }
  }
  return pointers;
}
