import type { CoreModule, CoreTarget } from '../core/candidates.js';
import type { Spec } from '../spec.js';
import { Kind, type KindName, type TypeId } from '../types.js';

/** KernelObject is the BTF of vmlinux or of a module. */
export interface KernelObject {
  /** `vmlinux`, or the name of the module. */
  readonly name: string;
  readonly spec: Spec;
}

/** FoundType is a type of a kernel. */
export interface FoundType extends KernelObject {
  readonly typeId: TypeId;
}

/** KernelObjects finds types in vmlinux and modules. The BTF of a module is asked for once, when it is searched. */
export class KernelObjects {
  readonly vmlinux: KernelObject;
  readonly #modules: Iterator<CoreModule>;
  readonly #known: CoreModule[] = [];
  readonly #read: KernelObject[] = [];
  #isAllRead = false;

  constructor({ kernel, modules = [] }: CoreTarget) {
    this.vmlinux = { name: 'vmlinux', spec: kernel };
    this.#modules = modules[Symbol.iterator]();
  }

  /** The names of the modules whose BTF was read. */
  get read(): readonly string[] {
    return this.#read.map(({ name }) => name);
  }

  /** Whether something was looked for in all modules. */
  get isAllRead(): boolean {
    return this.#isAllRead;
  }

  /** The BTF of the modules that were read. */
  get readSpecs(): readonly Spec[] {
    return this.#read.map(({ spec }) => spec);
  }

  /** specOf returns the BTF of vmlinux or of a module that was read; null if there is none of this name. */
  specOf(name: string): Spec | null {
    if (name === this.vmlinux.name) return this.vmlinux.spec;
    return this.#read.find((own) => own.name === name)?.spec ?? null;
  }

  /** The same kernel for resolving relocations, which shares the BTF of modules. */
  get target(): CoreTarget {
    return { kernel: this.vmlinux.spec, modules: { [Symbol.iterator]: () => this.#all() } };
  }

  /**
   * find returns the first type with a name and a kind: of vmlinux, or else of the first module that has one.
   *
   * @param isWanted says which modules to look in, by their names.
   * @returns null if there is none.
   */
  find(name: string, kind: KindName, isWanted: (module: string) => boolean = () => true): FoundType | null {
    const [typeId] = ownIds(this.vmlinux.spec, name, kind);
    return typeId === undefined ? this.findInModules(name, kind, isWanted) : { ...this.vmlinux, typeId };
  }

  /** moduleNamed returns the BTF of the first module with a name; null if there is none. */
  moduleNamed(name: string): Spec | null {
    for (const module of this.#all()) if (module.name === name) return module.spec();
    return null;
  }

  /** findInModules is {@link find} without vmlinux. */
  findInModules(
    name: string,
    kind: KindName,
    isWanted: (module: string) => boolean = () => true,
  ): FoundType | null {
    for (const module of this.#all()) {
      if (!isWanted(module.name)) continue;
      const spec = module.spec();
      const [typeId] = ownIds(spec, name, kind);
      if (typeId !== undefined) return { name: module.name, spec, typeId };
    }
    return null;
  }

  *#all(): Generator<CoreModule, void, undefined> {
    for (let i = 0; ; i++) {
      const known = this.#known[i];
      if (known !== undefined) {
        yield known;
        continue;
      }
      const next = this.#modules.next();
      if (next.done === true) {
        // The result of such a search depends on each module.
        this.#isAllRead = true;
        return;
      }
      const module = this.#remembering(next.value);
      this.#known.push(module);
      yield module;
    }
  }

  #remembering({ name, spec }: CoreModule): CoreModule {
    let known: Spec | null = null;
    return {
      name,
      spec: () => {
        if (known !== null) return known;
        known = spec();
        this.#read.push({ name, spec: known });
        return known;
      },
    };
  }
}

/** ownIds returns the ids of a spec's own types with a name and a kind, in ascending order. */
export function ownIds(spec: Spec, name: string, kind: KindName): TypeId[] {
  if (name === '' || kind === 'UNKNOWN') return [];
  return spec.idsByName(name).filter((id) => id >= spec.firstTypeId && spec.kindOf(id) === Kind[kind]);
}

/** EnumValues are the values of an enum. Of several values with the same number it has the first. */
export interface EnumValues {
  readonly byName: ReadonlyMap<string, bigint>;
  readonly byNumber: ReadonlyMap<bigint, string>;
}

/** The enums that were read. They are kept as long as the spec, as each object that is checked asks for the same few. */
const read = new WeakMap<Spec, Map<string, EnumValues | null>>();

/** enumValues returns the values of the first enum with a name; null if there is none. */
export function enumValues(spec: Spec, name: string): EnumValues | null {
  const known = read.get(spec) ?? new Map<string, EnumValues | null>();
  read.set(spec, known);
  const values = known.get(name);
  if (values !== undefined) return values;
  const found = readEnum(spec, name);
  known.set(name, found);
  return found;
}

function readEnum(spec: Spec, name: string): EnumValues | null {
  for (const id of spec.idsByName(name)) {
    const type = spec.typeById(id);
    if (type.kind !== 'ENUM' && type.kind !== 'ENUM64') continue;
    const byName = new Map<string, bigint>();
    const byNumber = new Map<bigint, string>();
    for (const { name: own, value } of type.values) {
      const number = BigInt(value);
      byName.set(own, number);
      if (!byNumber.has(number)) byNumber.set(number, own);
    }
    return { byName, byNumber };
  }
  return null;
}
