import { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import { type Fwd, type Int, Kind, type Struct, type Type, type TypeId, type Union } from '../types.js';

/** The kernel's KSYM_NAME_LEN: it accepts no longer name of a type. */
const LONGEST_NAME = 512;

/**
 * matchDistilled finds for each type of a distilled base the type of a full base that it stands for.
 *
 * The rules are those of libbpf's `btf_relocate_map_distilled_base`: integers match by name, size and encoding,
 * floats and enums (of any width) by name and size, structs and unions by name, and by size too when they are
 * embedded or when the full base has several of the name; forward declarations match those of their kind or
 * the one full type. Two differences, where libbpf refuses what has one sensible answer: where several kinds match, the
 * distilled type's own kind wins, and a forward declaration's kind is compared with the kind of the full type (libbpf
 * looks at whether that has bitfields instead).
 *
 * It takes time and memory in proportion to both bases.
 *
 * @param embedded the structs and unions whose size must match.
 * @returns the id in the full base by id in the distilled base; 0 is 0.
 * @throws BtfFormatError `MALFORMED` when this is no distilled base; `BASE_MISMATCH` for types without a match or with
 * several, which it names; `LIMIT_EXCEEDED` for a name that no kernel would accept.
 */
export function matchDistilled(distilled: Spec, fullBase: Spec, embedded: ReadonlySet<TypeId>): Uint32Array {
  const types = [...distilled].map(checkDistilled);
  const candidates = new Candidates(fullBase, new Set(types.map(({ name }) => name)));
  const ids = new Uint32Array(distilled.endTypeId);
  for (const type of types) ids[type.id] = candidates.find(type, embedded.has(type.id));
  return ids;
}

/** Candidate is a type of the full base, and whether others are as good. */
interface Candidate {
  readonly id: TypeId;
  readonly other: TypeId | null;
}

/** Candidates are the types of the full base that have names of the distilled base, by what must be alike. */
class Candidates {
  readonly #byKey = new Map<string, Candidate>();
  /** How many structs and unions have a name. */
  readonly #composites = new Map<string, number>();

  constructor(fullBase: Spec, names: ReadonlySet<string>) {
    for (const id of fullBase.typeIds(1)) {
      if (!MATCHED.has(fullBase.kindOf(id))) continue;
      const name = fullBase.nameOf(id);
      // Longer names are not even hashed: their cost must not be their length for each type.
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

  /** What a match may be, best first. */
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

/** What two types must have alike besides their name; of structs and unions the size may differ. */
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

/** A distilled base has named types only, and enums of any width as ENUM. */
function checkDistilled(type: Type): Type {
  const { id: typeId, kind, name } = type;
  if (!['INT', 'FLOAT', 'ENUM', 'STRUCT', 'UNION', 'FWD'].includes(kind)) {
    throw new BtfFormatError('MALFORMED', `a distilled base holds no ${kind}`, { typeId });
  }
  if (name === '') {
    throw new BtfFormatError('MALFORMED', `a distilled base holds no ${kind} without name`, { typeId });
  }
  if (name.length > LONGEST_NAME) {
    throw new BtfFormatError('LIMIT_EXCEEDED', `name is longer than ${LONGEST_NAME}`, { typeId });
  }
  return type;
}

function mismatch({ id, kind, name }: Type, what: string): BtfFormatError {
  return new BtfFormatError('BASE_MISMATCH', `${kind} ${name} of the distilled base ${what}`, { typeId: id });
}
