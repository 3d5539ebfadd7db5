import type { RelocationKind } from '../ext/records.js';
import type { TypeId } from '../types.js';
import { type CorePath, isEnumKind, isTypeKind, localPath } from './access.js';
import { calculate, type Fix } from './calculate.js';
import type { CandidateType } from './candidates.js';
import type { CoreTypes } from './core-types.js';
import { matchCandidate } from './match.js';
import type { CoreWork } from './refusal.js';
import { renderPath, renderType } from './render.js';
import type { CoreCandidate, CorePlace } from './resolution.js';
import type { LoaderRules } from './rules/loader-rules.js';

/** Tried is a candidate that was compared: the path that matches in it, or the reason why none does. */
export interface Tried {
  readonly candidate: CandidateType;
  readonly path: CorePath | null;
  readonly reason: string;
}

/** More candidates of a relocation are counted, but not described. */
const MAX_DESCRIBED = 16;

/** The characters of the candidates of an object that are described. Real objects take some 100,000. */
const MAX_TEXT = 4 * 1024 * 1024;

/** The members and elements in all accesses of an object, each time that one is read. Real objects have some 10,000. */
const MAX_ACCESSORS = 262_144;

/** The steps that a comparison counts as that was made before. */
const KNOWN_STEPS = 8;

/** The accesses that are remembered. Real objects repeat them. */
const MAX_KNOWN = 1024;

/**
 * Comparisons compares the accesses of an object with candidates. The relocations of an object repeat a few accesses, so it
 * remembers the last ones, and relocations share what describes them.
 */
export class Comparisons {
  readonly #local: CoreTypes;
  readonly #rules: LoaderRules;
  readonly #work: CoreWork;
  readonly #known = new Map<string, CorePath>();
  readonly #tried = new WeakMap<CorePath, Map<CandidateType, Tried>>();
  readonly #fixes = new WeakMap<CorePath, Map<RelocationKind, Fix>>();
  readonly #places = new WeakMap<CorePath, CorePlace>();
  readonly #candidates = new WeakMap<Tried, CoreCandidate>();
  readonly #lists = new WeakMap<Tried, readonly CoreCandidate[]>();
  #textLeft = MAX_TEXT;
  #accessorsLeft = MAX_ACCESSORS;

  /** @param local the types of the object. */
  constructor(local: CoreTypes, rules: LoaderRules, work: CoreWork) {
    this.#local = local;
    this.#rules = rules;
    this.#work = work;
  }

  /**
   * path is {@link localPath}.
   *
   * @throws as it does, and BtfFormatError `LIMIT_EXCEEDED` if the accesses of the object are too long.
   */
  path(kind: RelocationKind, typeId: TypeId, access: string): CorePath {
    const key = `${sortOf(kind)} ${typeId} ${access}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const path = localPath(this.#local, kind, typeId, access, this.#rules);
    this.#accessorsLeft -= path.accessors.length;
    if (this.#accessorsLeft < 0) this.#work.spend(`accesses with more than ${MAX_ACCESSORS} members in all`);
    if (this.#known.size === MAX_KNOWN) this.#known.clear();
    this.#known.set(key, path);
    return path;
  }

  /**
   * compare is {@link matchCandidate}.
   *
   * @throws as it does.
   */
  compare(kind: RelocationKind, local: CorePath, candidate: CandidateType): Tried {
    const compared = this.#tried.get(local) ?? new Map<CandidateType, Tried>();
    this.#tried.set(local, compared);
    const known = compared.get(candidate);
    if (known !== undefined) {
      this.#work.step(KNOWN_STEPS);
      return known;
    }
    const matching = matchCandidate(kind, local, candidate, this.#rules, this.#work);
    const tried = { candidate, path: matching.path, reason: matching.path === null ? matching.reason : '' };
    if (compared.size < MAX_DESCRIBED) compared.set(candidate, tried);
    return tried;
  }

  /**
   * fix is {@link calculate} for a path of {@link compare}.
   *
   * @throws as it does.
   */
  fix(kind: RelocationKind, local: CorePath, path: CorePath): Fix {
    const byKind = this.#fixes.get(path) ?? new Map<RelocationKind, Fix>();
    this.#fixes.set(path, byKind);
    const known = byKind.get(kind);
    if (known !== undefined) return known;
    const fix = calculate(kind, local, path, this.#rules);
    byKind.set(kind, fix);
    return fix;
  }

  /** place describes a path. */
  place(kind: RelocationKind, path: CorePath): CorePlace {
    const known = this.#places.get(path);
    if (known !== undefined) return known;
    const place = {
      typeId: path.rootId,
      text: renderPath(kind, path),
      access: isTypeKind(kind) ? '' : path.indexes.join(':'),
      bitOffset: path.bitOffset,
    };
    this.#places.set(path, place);
    return place;
  }

  /** candidate describes a candidate. */
  candidate(kind: RelocationKind, tried: Tried): CoreCandidate {
    const known = this.#candidates.get(tried);
    if (known !== undefined) return known;
    const { types, typeId } = tried.candidate;
    const described = {
      object: types.object,
      place: tried.path === null ? null : this.place(kind, tried.path),
      typeId,
      typeName: renderType(types, typeId),
      reason: tried.reason,
    };
    this.#candidates.set(tried, described);
    return described;
  }

  /** candidates describes the first 16 candidates; none if those of the object take too much text. */
  candidates(kind: RelocationKind, all: readonly Tried[]): readonly CoreCandidate[] {
    const [first] = all;
    if (first === undefined) return [];
    const known = this.#lists.get(first);
    const isKnown =
      known?.length === Math.min(all.length, MAX_DESCRIBED) &&
      known.every((own, i) => own === this.candidate(kind, all[i] ?? first));
    if (isKnown) return known;
    if (this.#textLeft < 0) return [];
    const described = all.slice(0, MAX_DESCRIBED).map((tried) => this.candidate(kind, tried));
    for (const { place, typeName, reason } of described)
      this.#textLeft -= (place?.text.length ?? 0) + typeName.length + reason.length;
    this.#lists.set(first, described);
    return described;
  }
}

/** Relocations of one sort compare an access in the same way. */
function sortOf(kind: RelocationKind): string {
  if (isEnumKind(kind)) return 'value';
  if (!isTypeKind(kind)) return 'field';
  return kind === 'TYPE_MATCHES' ? 'match' : 'type';
}
