import { CoreTypes } from '../../core/core-types.js';
import type { CoreWork } from '../../core/refusal.js';
import type { LoaderRules } from '../../core/rules/loader-rules.js';
import { refusalOf } from '../../core/trial.js';
import { typesCompatible } from '../../core/types-compatible.js';
import type { BpfObject } from '../../object/bpf-object.js';
import type { BpfExtern } from '../../object/extern-symbols.js';
import { followed } from '../../query/follow.js';
import type { Reference } from '../../reach/program.js';
import { Kind, type TypeId } from '../../types.js';
import type { FoundType, KernelObjects } from '../kernel-objects.js';
import type { NearNames } from '../near-names.js';
import type { Need } from '../report.js';
import { type KconfigValues, resolveKconfig } from './kconfig.js';
import { Kfuncs } from './kfuncs.js';
import { declarations, FITS, need } from './need.js';

/** ResolvedExtern is an extern as a loader resolves it. */
export interface ResolvedExtern {
  readonly extern: BpfExtern;
  /** The need for it, if nothing calls it. */
  readonly need: Need;
  /** The reference of an instruction that loads its address or calls it. */
  readonly reference: Reference;
  /** The reason why the verifier refuses calls of it where it gets there; null if it does not. */
  readonly refusedCall: string | null;
}

/** ExternContext has what resolving externs depends on. */
export interface ExternContext {
  readonly object: BpfObject;
  readonly kernel: KernelObjects;
  readonly rules: LoaderRules;
  readonly work: CoreWork;
  readonly kconfig: KconfigValues;
  readonly near: NearNames;
}

/** resolveExterns resolves the externs of an object, by name. It yields after each. */
export function* resolveExterns(
  externs: readonly BpfExtern[],
  context: ExternContext,
): Generator<null, ReadonlyMap<string, ResolvedExtern>, void> {
  const resolver = new Resolver(context);
  const resolved = new Map<string, ResolvedExtern>();
  for (const extern of externs) {
    resolved.set(extern.name, resolver.resolve(extern));
    yield null;
  }
  return resolved;
}

const NOT_REFUSED = { refusedCall: null };
const OTHER: Reference = { to: 'other' };
const ABSENT: Reference = { to: 'absent' };

/** The kfunc that does not return. */
const THROW = 'bpf_throw';

class Resolver {
  readonly #context: ExternContext;
  readonly #local: CoreTypes;
  readonly #kfuncs = new Kfuncs();

  constructor(context: ExternContext) {
    this.#context = context;
    this.#local = new CoreTypes(context.object.spec, 'the object', context.work, 8);
  }

  resolve(extern: BpfExtern): ResolvedExtern {
    if (extern.section === '.kconfig') {
      const { need: own, reference } = resolveKconfig(extern, this.#context.kconfig);
      return { extern, need: own, reference, ...NOT_REFUSED };
    }
    return extern.kind === 'FUNC' ? this.#kfunc(extern) : this.#variable(extern);
  }

  #kfunc(extern: BpfExtern): ResolvedExtern {
    const { kernel, rules, object } = this.#context;
    const { name, typeId, weak } = extern;
    const wanted = rules.loader === 'libbpf' ? name.slice(0, rules.essentialLength(name)) : name;
    const found = kernel.find(wanted, 'FUNC');
    if (found === null) {
      const near = weak ? [] : this.#context.near.ofType('FUNC', wanted);
      return missing(extern, 'KFUNC', `no object of the kernel has a function ${wanted}`, near);
    }
    const difference = this.#difference(
      followed(object.spec, typeId, this.#local.thirdOf(typeId)),
      found,
      followed(
        found.spec,
        found.typeId,
        new CoreTypes(found.spec, found.name, this.#context.work).thirdOf(found.typeId),
      ),
    );
    if (difference !== null) {
      const isFatal = !weak || rules.loader === 'cilium';
      const reason = `the function has another prototype in ${found.name}${difference}`;
      return {
        extern,
        need: need('KFUNC', name, [isFatal ? 'FAILS' : 'GUARDED', reason], {
          optional: extern.weak,
          found,
          ...declarations(object.spec, typeId, found),
        }),
        reference: isFatal ? OTHER : ABSENT,
        refusedCall: isFatal ? null : reason,
      };
    }
    return {
      extern,
      need: need('KFUNC', name, FITS, { optional: extern.weak, found }),
      reference: { to: wanted === THROW ? 'throw' : 'kfunc' },
      refusedCall: this.#kfuncs.isCallable(found)
        ? null
        : `${wanted} is a function of ${found.name}, but not one that programs may call`,
    };
  }

  #variable(extern: BpfExtern): ResolvedExtern {
    const { kernel, rules, object } = this.#context;
    const { name, typeId, weak } = extern;
    const local = this.#local.skip(followed(object.spec, typeId, this.#local.thirdOf(typeId)));
    if (this.#local.kindOf(local) === Kind.VOID) {
      const words = weak ? 'its address is 0 if they lack it' : 'the load fails if they lack it';
      const reason = `the symbols of the kernel decide, not BTF; ${words}`;
      const own = need('KSYM_ADDRESS', name, ['UNKNOWN', reason], { optional: weak });
      return { extern, need: own, reference: OTHER, ...NOT_REFUSED };
    }
    const found = kernel.find(name, 'VAR');
    if (found === null) {
      const near = weak ? [] : this.#context.near.ofType('VAR', name);
      return missing(extern, 'KSYM_VARIABLE', 'no object of the kernel has such a variable in its BTF', near);
    }
    const types = new CoreTypes(found.spec, found.name, this.#context.work);
    const target = types.skip(followed(found.spec, found.typeId, types.thirdOf(found.typeId)));
    const difference = rules.loader === 'libbpf' ? this.#difference(local, found, target) : null;
    const parts = { optional: weak, found };
    const own =
      difference === null
        ? need('KSYM_VARIABLE', name, FITS, parts)
        : need(
            'KSYM_VARIABLE',
            name,
            ['FAILS', `the variable has another type in ${found.name}${difference}`],
            {
              ...parts,
              ...declarations(object.spec, typeId, found),
            },
          );
    return { extern, need: own, reference: OTHER, ...NOT_REFUSED };
  }

  /** Compares types. Returns null if they are compatible, otherwise words to add to the reason, which may be empty. */
  #difference(localId: TypeId, found: FoundType, targetId: TypeId): string | null {
    const { rules, work } = this.#context;
    const target = new CoreTypes(found.spec, found.name, work);
    try {
      return typesCompatible({ local: this.#local, target, rules, work }, localId, targetId) ? null : '';
    } catch (error) {
      return `: ${refusalOf(error, work)}`;
    }
  }
}

function missing(
  extern: BpfExtern,
  kind: 'KFUNC' | 'KSYM_VARIABLE',
  reason: string,
  near: readonly string[],
): ResolvedExtern {
  const { name, weak } = extern;
  return {
    extern,
    need: need(kind, name, [weak ? 'GUARDED' : 'FAILS', reason], { optional: weak, near }),
    reference: weak ? ABSENT : OTHER,
    refusedCall: weak && kind === 'KFUNC' ? reason : null,
  };
}
