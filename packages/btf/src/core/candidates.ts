import type { BtfFormatError } from '../format-error.js';
import type { Spec } from '../spec.js';
import type { TypeId } from '../types.js';
import { CoreTypes, isSameKind } from './core-types.js';
import { type CoreWork, refusal, run } from './refusal.js';
import type { BpfLoader, LoaderRules } from './rules/loader-rules.js';

/** CoreTarget is the kernel that relocations are resolved against. */
export interface CoreTarget {
  /** The BTF of vmlinux. */
  readonly kernel: Spec;
  /** Modules in the order in which a loader searches them. Their BTF is only asked for when it is searched. */
  readonly modules?: Iterable<CoreModule>;
}

/** CoreModule is a kernel module. */
export interface CoreModule {
  readonly name: string;
  /** Returns its BTF, which is split from that of vmlinux. */
  readonly spec: () => Spec;
}

/** Candidate is a target type that may stand for a local one. */
export interface CandidateType {
  readonly types: CoreTypes;
  readonly typeId: TypeId;
}

/** More types of one name than any kernel has. Linux 7.1 and newer repeat types. */
const MAX_CANDIDATES = 4096;

/** The steps that a search by name counts as. An object may have thousands of names that hundreds of modules lack. */
const SEARCH_STEPS = 64;

/** The steps that parsing the BTF of a module counts as. */
const OPEN_STEPS = 4096;

/** The kernel's KSYM_NAME_LEN: longer names count as names without a flavour. */
const LONGEST_NAME = 512;

type Flavours = ReadonlyMap<string, readonly TypeId[]>;

/** The own types of a spec whose name has a flavour, by essential name. It is kept as long as the spec. */
const known = new WeakMap<Spec, Map<BpfLoader, Flavours>>();

/** Candidates finds the candidates for local types in a kernel. */
export class Candidates {
  readonly #rules: LoaderRules;
  readonly #work: CoreWork;
  readonly #kernel: CoreTypes;
  readonly #modules: Iterator<CoreModule>;
  readonly #opened: CoreTypes[] = [];
  /** Candidates by kind and essential name. */
  readonly #found = new Map<string, readonly CandidateType[]>();

  constructor(target: CoreTarget, rules: LoaderRules, work: CoreWork) {
    this.#rules = rules;
    this.#work = work;
    this.#kernel = new CoreTypes(target.kernel, 'vmlinux', work);
    this.#modules = (target.modules ?? [])[Symbol.iterator]();
  }

  /**
   * find returns the candidates for a named type: those with the same name but for flavours, those of vmlinux first.
   *
   * @throws a refusal for more than 4,096 candidates.
   * @throws BtfFormatError if the name of any type of the kernel is invalid, and as the modules do.
   */
  find(local: CoreTypes, typeId: TypeId): readonly CandidateType[] {
    return run(this.findSteps(local, typeId));
  }

  /** findSteps is {@link find} in steps. */
  *findSteps(local: CoreTypes, typeId: TypeId): Generator<null, readonly CandidateType[], void> {
    const name = local.nameOf(typeId);
    const essential = name.slice(0, this.#rules.essentialLength(name));
    const kind = local.kindOf(typeId);
    const key = `${kind} ${essential}`;
    const found = this.#found.get(key) ?? (yield* this.#searchAll(essential, kind));
    this.#found.set(key, found);
    return found;
  }

  *#searchAll(essential: string, kind: number): Generator<null, CandidateType[], void> {
    const found = yield* this.#search(this.#kernel, essential, kind);
    if (found.length > 0 && this.#rules.modules === 'WITHOUT_VMLINUX') return found;
    for (const types of this.#moduleTypes()) {
      found.push(...(yield* this.#search(types, essential, kind)));
      yield* this.#work.pauses();
      if (found.length > MAX_CANDIDATES) throw tooMany(essential);
    }
    return found;
  }

  /** All modules. Each is opened once. */
  *#moduleTypes(): Generator<CoreTypes, void, undefined> {
    yield* this.#opened;
    for (let next = this.#modules.next(); next.done !== true; next = this.#modules.next()) {
      const types = new CoreTypes(next.value.spec(), next.value.name, this.#work);
      this.#work.step(OPEN_STEPS);
      this.#opened.push(types);
      yield types;
    }
  }

  *#search(types: CoreTypes, essential: string, kind: number): Generator<null, CandidateType[], void> {
    const { spec } = types;
    const rules = this.#rules;
    // The name itself may have another flavour: `a___b` is the essential name of `a___b___c`, not of `a___b`.
    const isPlain = rules.essentialLength(essential) === essential.length;
    const plain = isPlain ? spec.idsByName(essential).filter((id) => id >= spec.firstTypeId) : [];
    const flavours = yield* flavoursOf(spec, rules);
    const ids = [...plain, ...(flavours.get(essential) ?? [])].toSorted((a, b) => a - b);
    this.#work.step(SEARCH_STEPS + ids.length);
    const found = ids.filter((id) => rules.candidateKinds === 'ANY' || isSameKind(types.kindOf(id), kind));
    if (found.length > MAX_CANDIDATES) throw tooMany(essential);
    return found.map((typeId) => ({ types, typeId }));
  }
}

function tooMany(name: string): BtfFormatError {
  return refusal(`the kernel has more than ${MAX_CANDIDATES} types named ${name}`);
}

function* flavoursOf(spec: Spec, rules: LoaderRules): Generator<null, Flavours, void> {
  const byLoader = known.get(spec) ?? new Map<BpfLoader, Flavours>();
  known.set(spec, byLoader);
  const found = byLoader.get(rules.loader) ?? (yield* searchFlavours(spec, rules));
  byLoader.set(rules.loader, found);
  return found;
}

/** The names that are read between two pauses. */
const NAMES_PER_STEP = 8192;

function* searchFlavours(spec: Spec, { essentialLength }: LoaderRules): Generator<null, Flavours, void> {
  const flavours = new Map<string, TypeId[]>();
  for (const id of spec.typeIds()) {
    if (id % NAMES_PER_STEP === 0) yield null;
    const name = spec.nameOf(id);
    if (name.length > LONGEST_NAME || !name.includes('___')) continue;
    const length = essentialLength(name);
    if (length === name.length) continue;
    const essential = name.slice(0, length);
    const ids = flavours.get(essential);
    if (ids === undefined) flavours.set(essential, [id]);
    else ids.push(id);
  }
  return flavours;
}
