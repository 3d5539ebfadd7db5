import { Kind, type TypeId } from '../types.js';
import type { CContext } from './c-context.js';
import type { CDeclarator } from './c-declarator.js';

const KFUNC = 'bpf_kfunc';
const FASTCALL = 'bpf_fastcall';

/** The component of a DECL_TAG that is on a whole type. */
const WHOLE = -1;

/** TaggedFunctions are the functions with a tag that BPF programs need. */
interface TaggedFunctions {
  readonly kfuncs: ReadonlySet<TypeId>;
  readonly fastcalls: ReadonlySet<TypeId>;
}

/** CFunctions writes declarations of functions and variables, and those of kfuncs as bpftool 7.8 writes them. */
export class CFunctions {
  readonly #context: CContext;
  readonly #declarator: CDeclarator;
  #tagged: TaggedFunctions | null = null;

  constructor(context: CContext, declarator: CDeclarator) {
    this.#context = context;
    this.#declarator = declarator;
  }

  /** kfuncs returns the functions with a tag `bpf_kfunc`, in the order of their names. The first call reads all types. */
  kfuncs(): readonly TypeId[] {
    const { types, strings, work } = this.#context;
    return [...this.#tags().kfuncs].toSorted((a, b) => strings.compare(types.name(a), types.name(b), work));
  }

  /** isKfunc reports whether a FUNC has a tag `bpf_kfunc`. */
  isKfunc(id: TypeId): boolean {
    return this.#tags().kfuncs.has(id);
  }

  /** declare writes a FUNC or VAR: `extern int f(void);`. */
  declare(id: TypeId): void {
    this.#write(id, '', ';\n\n');
  }

  /** declareKfuncs writes kfuncs for programs that call them, unless BPF_NO_KFUNC_PROTOTYPES is defined. */
  declareKfuncs(ids: readonly TypeId[]): void {
    const { out } = this.#context;
    out.write('\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n');
    const { fastcalls } = this.#tags();
    for (const id of ids) this.#write(id, fastcalls.has(id) ? '__bpf_fastcall ' : '', ' __weak __ksym;\n');
    out.write('#endif\n\n');
  }

  #write(id: TypeId, attribute: string, end: string): void {
    const { types, out } = this.#context;
    out.write(`extern ${attribute}`);
    this.#declarator.declare(types.third(id), types.name(id), 1, 0);
    out.write(end);
  }

  #tags(): TaggedFunctions {
    this.#tagged ??= this.#readTags();
    return this.#tagged;
  }

  #readTags(): TaggedFunctions {
    const { types, strings } = this.#context;
    const kfuncs = new Set<TypeId>();
    const fastcalls = new Set<TypeId>();
    for (let id = 1; id < types.endTypeId; id++) {
      if (types.kind(id) !== Kind.DECL_TAG || types.at(types.elements(id)) !== WHOLE) continue;
      const target = types.third(id);
      if (types.kind(target) !== Kind.FUNC) continue;
      if (strings.equals(types.name(id), KFUNC)) kfuncs.add(target);
      else if (strings.equals(types.name(id), FASTCALL)) fastcalls.add(target);
    }
    return { kfuncs, fastcalls };
  }
}
