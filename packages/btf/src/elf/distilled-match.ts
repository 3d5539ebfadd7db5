import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import { type Fwd, type Int, Kind, type Struct, type Type, type TypeId, type Union } from '../types.js';

/** The kernel's KSYM_NAME_LEN: it does not accept longer names of types. */
const LONGEST_NAME = 512;

/**
 * matchDistilled finds, for each type of a distilled base, the type of a full base that it stands for.
 *
 * The rules are those of libbpf's `btf_relocate_map_distilled_base`. Integers match by name, size and encoding. Floats
 * and enums (of any width) match by name and size. Structs and unions match by name, and also by size if they are
 * embedded or the full base has several of the name. Forward declarations match declarations of their kind, or the only
 * full type. There are two differences where libbpf rejects a case that has one sensible result. If several kinds
 * match, the distilled type's own kind wins. And the kind of a forward declaration is compared with the kind of the
 * full type, while libbpf checks whether the full type has bitfields.
 *
 * It takes time and memory in proportion to both bases.
 *
 * @param embedded the structs and unions whose size must match.
 * @returns the id in the full base by id in the distilled base; 0 for 0.
 * @throws BtfFormatError `MALFORMED` if this is not a distilled base.
 * @throws BtfFormatError `BASE_MISMATCH` for a type without a match or with several; the message names it.
 * @throws BtfFormatError `LIMIT_EXCEEDED` for a name that no kernel would accept.
 */
export function matchDistilled(distilled: Spec, fullBase: Spec, embedded: ReadonlySet<TypeId>): Uint32Array {
  const types = [...distilled].map(checkDistilled);
  const candidates = new Candidates(fullBase, new Set(types.map(({ name }) => name)));
  const ids = new Uint32Array(distilled.endTypeId);
  for (const type of types) ids[type.id] = candidates.find(type, embedded.has(type.id));
  return ids;
}

/** Candidate is a type of the full base, and whether there are others that match equally well. */
interface Candidate {
  readonly id: TypeId;
  readonly other: TypeId | null;
}

/**
 * Candidates are the types of the full base that have names of the distilled base, by the properties that must match.
 */
class Candidates {
  readonly #byKey = new Map<string, Candidate>();
  /** Number of structs and unions with a name. */
  readonly #composites = new Map<string, number>();

  constructor(fullBase: Spec, names: ReadonlySet<string>) {
    for (const id of fullBase.typeIds(1)) {
      if (!MATCHED.has(fullBase.kindOf(id))) continue;
      const name = fullBase.nameOf(id);
      // Longer names are not even hashed: they must not cost their length for each type.
      if (name.length <= LONGEST_NAME && names.has(name)) this.#add(fullBase.typeById(id));
    }
  }

  find(type: Type, embedded: boolean): TypeId {
    for (const key of this.#wanted(type, embedded)) {
      const candidate = this.#byKey.get(`${key} ${type.name}`);
      if (candidate === undefined) continue;
      if (candidate.other === null) return candidate.id;
      throw mismatch(
        type,
        `has several matches in the base: type ids ${candidate.id} and ${candidate.other}`,
      );
    }
    throw mismatch(type, embedded ? 'has no match of its size in the base' : 'has no match in the base');
  }

  #add(type: Type): void {
    if (isComposite(type)) {
      this.#composites.set(type.name, (this.#composites.get(type.name) ?? 0) + 1);
      this.#addKey(`${type.kind} ${type.size} ${type.name}`, type.id);
    }
    this.#addKey(`${keyOf(type)} ${type.name}`, type.id);
  }

  #addKey(key: string, id: TypeId): void {
    const first = this.#byKey.get(key);
    this.#byKey.set(key, first === undefined ? { id, other: null } : { id: first.id, other: id });
  }

  /** The possible matches, best first. */
  #wanted(type: Type, embedded: boolean): string[] {
    const several = (this.#composites.get(type.name) ?? 0) > 1;
    if (type.kind === 'FWD') {
      const full = several ? [] : [type.union ? 'UNION' : 'STRUCT'];
      return [keyOf(type), ...full];
    }
    if (!isComposite(type)) return [keyOf(type)];
    const kinds = type.kind === 'STRUCT' ? ['STRUCT', 'UNION'] : ['UNION', 'STRUCT'];
    const full = embedded || several ? kinds.map((kind) => `${kind} ${type.size}`) : kinds;
    return embedded ? full : [...full, ...kinds.map((kind) => `FWD ${kind}`)];
  }
}

const MATCHED: ReadonlySet<number> = new Set([
  Kind.INT,
  Kind.FLOAT,
  Kind.ENUM,
  Kind.ENUM64,
  Kind.STRUCT,
  Kind.UNION,
  Kind.FWD,
]);

/** The properties of a type that must match in addition to its name. The size of structs and unions may differ. */
function keyOf(type: Type): string {
  switch (type.kind) {
    case 'INT':
      return intKey(type);
    case 'FLOAT':
      return `FLOAT ${type.size}`;
    case 'ENUM':
    case 'ENUM64':
      return `ENUM ${type.size}`;
    case 'FWD':
      return fwdKey(type);
    default:
      return type.kind;
  }
}

function intKey({ size, encoding }: Int): string {
  return `INT ${size} ${encoding}`;
}

function fwdKey({ union }: Fwd): string {
  return union ? 'FWD UNION' : 'FWD STRUCT';
}

function isComposite(type: Type): type is Struct | Union {
  return type.kind === 'STRUCT' || type.kind === 'UNION';
}

/** A distilled base only has named types, and enums of any width as ENUM. */
function checkDistilled(type: Type): Type {
  const { id: typeId, kind, name } = type;
  if (!['INT', 'FLOAT', 'ENUM', 'STRUCT', 'UNION', 'FWD'].includes(kind)) {
    throw new BtfFormatError('MALFORMED', `invalid distilled base: it contains a type of kind ${kind}`, {
      typeId,
    });
  }
  if (name === '') {
    throw new BtfFormatError('MALFORMED', `invalid distilled base: it contains an anonymous ${kind}`, {
      typeId,
    });
  }
  if (name.length > LONGEST_NAME) {
    throw new BtfFormatError('LIMIT_EXCEEDED', `name is longer than ${LONGEST_NAME} characters`, { typeId });
  }
  return type;
}

function mismatch({ id, kind, name }: Type, what: string): BtfFormatError {
  return new BtfFormatError('BASE_MISMATCH', `${kind} ${name} of the distilled base ${what}`, { typeId: id });
}
