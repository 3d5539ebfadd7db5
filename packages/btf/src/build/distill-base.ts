import { BtfFormatError } from '../format-error.js';
import { isComposite, isKnownKind, kindTest, visitIds } from '../kind-words.js';
import { Spec } from '../spec.js';
import { Kind, type TypeId } from '../types.js';
import { SpecReader } from './spec-reader.js';
import { sharedStrings } from './string-layout.js';
import { StringPool } from './string-pool.js';
import { TypeTable } from './type-table.js';
import { type Rebuilt, writeBtf } from './write-btf.js';

/** Distilled is split BTF with a distilled base. */
export interface Distilled extends Rebuilt {
  /** The split BTF, which continues the distilled base: the ELF section `.BTF` of a module. */
  readonly bytes: Uint8Array;
  /** The distilled base, which stands alone: the ELF section `.BTF.base`. */
  readonly baseBytes: Uint8Array;
  /** New ids by old ids, also for types of the old base; 0 for types of it that are in neither result, and for void. */
  readonly ids: Int32Array;
}

/**
 * distillBase makes split BTF independent of the exact base that it was built for (`.BTF.base`, Linux 6.11). A module
 * that is built outside of the kernel's tree then fits kernels with other ids. `relocateSplit`, the kernel and libbpf move
 * the result onto the BTF of a kernel.
 *
 * The distilled base has a type for each named type of the base that the split BTF needs: an INT, FLOAT or FWD as it is, a
 * STRUCT or UNION of its size without members, and an ENUM of its size without values for an ENUM or ENUM64. All other
 * types of the base that are needed, such as pointers and anonymous structs, become types of the split BTF, after its own.
 * A base that is itself split is distilled with its own bases.
 *
 * Modelled on libbpf's `btf__distill_base` (1.5), which pahole calls with `--btf_features=distilled_base`. The result has
 * the same bytes as that of libbpf 1.7. It is not checked that the names in the distilled base are unique in the kernel: if
 * they are not, the result cannot be moved onto it.
 *
 * @param spec split BTF.
 * @throws BtfFormatError `MISSING_BASE` if the spec has no base.
 * @throws BtfFormatError `MALFORMED` for a reference to a function, variable, section or declaration tag of the base, for
 * a named enum whose size is not 1, 2, 4 or 8, for a name outside the string section, and for a reference to a type that
 * does not exist.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind.
 * @throws BtfFormatError `LIMIT_EXCEEDED` if names add up to more than 8 times the string section.
 * @throws BtfBuildError `LIMIT_EXCEEDED` for too many bytes.
 */
export function distillBase(spec: Spec): Distilled {
  if (spec.base === null) {
    throw new BtfFormatError('MISSING_BASE', 'BTF without a base has nothing to distill');
  }
  const pool = new StringPool();
  const reader = new SpecReader(spec, pool);
  const needed = neededOf(spec, reader);
  const ids = new Int32Array(spec.endTypeId);
  const { byteOrder } = spec;

  const base = new TypeTable();
  for (const id of needed) {
    const words = distilledWords(reader, id);
    if (words !== null) ids[id] = base.append(words, 0);
  }
  const baseBytes = writeBtf(base, pool, { byteOrder });

  const split = new TypeTable(base.endTypeId);
  const copy = (id: TypeId): void => {
    reader.read(id);
    ids[id] = split.append(reader.words, 0);
  };
  for (const id of spec.typeIds()) copy(id);
  for (const id of needed) if (ids[id] === 0) copy(id);
  const { words } = split;
  for (let id = split.firstTypeId; id < split.endTypeId; id++) {
    visitIds(words, split.offset(id), (at) => {
      words[at] = ids[words[at] ?? 0] ?? 0;
    });
  }
  const baseStrings = sharedStrings(Spec.parse(baseBytes), pool);
  return { bytes: writeBtf(split, pool, { byteOrder, wideVlen: true, baseStrings }), baseBytes, ids };
}

/** Returns the types of the base that split BTF needs, in the order of their ids. */
function neededOf(spec: Spec, reader: SpecReader): TypeId[] {
  const marks = new Uint8Array(spec.firstTypeId);
  const pending: TypeId[] = [];
  const need = (target: TypeId): void => {
    if (target === 0 || target >= spec.firstTypeId || marks[target] === 1) return;
    marks[target] = 1;
    const kind = reader.kind(target);
    if (!isPart(kind)) {
      const message = `split BTF refers to a type of kind ${kind} in its base, which cannot be distilled`;
      throw new BtfFormatError(isKnownKind(kind) ? 'MALFORMED' : 'UNSUPPORTED', message, { typeId: target });
    }
    // The members of a named struct or union stay out of the distilled base, and so do their types.
    if (!isComposite(kind) || isAnonymous(reader, target)) pending.push(target);
  };
  for (const id of spec.typeIds()) reader.visitReferences(id, need);
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) reader.visitReferences(id, need);
  const needed: TypeId[] = [];
  for (let id = marks.indexOf(1); id >= 0; id = marks.indexOf(1, id + 1)) needed.push(id);
  return needed;
}

/** Returns the words of a type in the distilled base; null for a type that becomes one of the split BTF. */
function distilledWords(reader: SpecReader, id: TypeId): Int32Array | null {
  const kind = reader.kind(id);
  reader.read(id);
  const [name = 0, , size = 0] = reader.words;
  switch (kind) {
    case Kind.INT:
    case Kind.FLOAT:
    case Kind.FWD:
      return reader.words;
    case Kind.STRUCT:
    case Kind.UNION:
      return name === 0 ? null : Int32Array.of(name, kind << 24, size);
    case Kind.ENUM:
    case Kind.ENUM64:
      if (name === 0) return null;
      if (ENUM_SIZES.has(size)) return Int32Array.of(name, Kind.ENUM << 24, size);
      throw new BtfFormatError('MALFORMED', `invalid size ${size} of an enum`, { typeId: id });
    default:
      return null;
  }
}

const ENUM_SIZES: ReadonlySet<number> = /* @__PURE__ */ new Set([1, 2, 4, 8]);

/** Whether types of C are made of a kind. Functions, variables, sections and declaration tags stay in their BTF. */
const isPart = /* @__PURE__ */ kindTest(({ referable }, kind) => referable && kind !== Kind.FUNC);

function isAnonymous(reader: SpecReader, id: TypeId): boolean {
  reader.read(id);
  return reader.words[0] === 0;
}
