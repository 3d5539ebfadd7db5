import { BtfReadError } from '../format-error.js';
import type { LoaderRules } from '../core/rules/loader-rules.js';
import type { SourceLine } from '../ext/lines.js';
import type { BpfObject } from '../object/bpf-object.js';
import type { BpfProgram } from '../object/programs.js';
import { type SectionName, sectionNameOf } from '../object/section-names.js';
import type { Reference, VerifierTraits } from '../reach/program.js';
import { type ReachResult, reachSteps } from '../reach/reach.js';
import type { StepBudget } from '../reach/follow.js';
import type { LinkedProgram } from './link.js';
import { type AttachContext, attachNeed } from './needs/attach-target.js';
import type { BpfEnums } from './needs/bpf-enums.js';
import type { ResolvedExtern } from './needs/externs.js';
import { helperUses } from './needs/helpers.js';
import { FITS, need } from './needs/need.js';
import { programTypeNeeds } from './needs/program-types.js';
import type { NamedVariable } from './read-only.js';
import type { Sources } from './sources.js';
import type { Need, ProgramResult, RelocationFinding } from './report.js';
import {
  type Reached,
  type Verdict,
  verdictOfReach,
  isRisk,
  verdictOfRelocation,
  wordsOfReach,
  worstOf,
} from './verdict.js';

/** JudgeContext has what the programs of an object share. */
export interface JudgeContext extends AttachContext {
  readonly object: BpfObject;
  readonly externs: ReadonlyMap<string, ResolvedExtern>;
  readonly enums: BpfEnums;
  readonly sources: Sources;
  readonly variables: readonly NamedVariable[];
  readonly traits: VerifierTraits;
  /** Whether it is unknown if the verifier checks global functions that nothing calls. */
  readonly mayCheckGlobals: boolean;
  /** Whether a function has global linkage, by its section and first instruction. */
  readonly isGlobal: (sectionIndex: number, start: number) => boolean;
  readonly budget: StepBudget;
  /** Whether programs may load the address of a kernel function. */
  readonly loadsFunctions: boolean;
  readonly afterSectionName: LoaderRules['afterSectionName'];
  /** The programs that struct_ops maps refer to. */
  readonly implementing: ReadonlySet<BpfProgram>;
}

/** The findings between two pauses. */
const FINDINGS_PER_STEP = 2048;

/** judgeProgram says whether a program that is loaded fits the kernel. It yields after a few milliseconds of work each. */
export function* judgeProgram(
  linked: LinkedProgram,
  context: JudgeContext,
): Generator<null, ProgramResult, void> {
  const judge = new Judge(linked, context);
  judge.refuse();
  judge.reached = yield* judge.follow();
  const section = sectionNameOf(linked.root.section, context.afterSectionName);
  const relocations = yield* judge.relocations();
  const needs = [
    ...programTypeNeeds(section, context.enums),
    ...loaderNeeds(linked, section, context),
    ...judge.attachTarget(section),
    ...judge.externs(),
    ...judge.helpers(),
  ];
  return {
    name: linked.root.name,
    section: linked.root.section,
    programType: section?.programType ?? null,
    loaded: true,
    verdict: worstOf([...relocations, ...needs].map(({ verdict }) => verdict)),
    relocations,
    needs,
  };
}

/** The reasons why the loader refuses a program whatever the kernel has. */
function loaderNeeds(
  { root, undefinedCalls, missingCallback }: LinkedProgram,
  section: SectionName | null,
  { loader, implementing }: JudgeContext,
): Need[] {
  const needs: Need[] = [];
  if (loader === 'cilium') {
    const reason = 'the object neither defines it nor declares it as __ksym';
    for (const name of undefinedCalls) needs.push(need('KFUNC', name, ['FAILS', reason]));
  }
  if (section?.programType === 'STRUCT_OPS' && !implementing.has(root))
    needs.push(need('STRUCT_OPS', root.name, ['FAILS', 'no struct of functions refers to the program']));
  if (missingCallback !== null) {
    const reason = `the object has no global function ${missingCallback} in .text for its exceptions`;
    needs.push(need('PROGRAM_TYPE', missingCallback, ['FAILS', reason]));
  }
  return needs;
}

class Judge {
  reached: ReachResult | null = null;
  readonly #linked: LinkedProgram;
  readonly #context: JudgeContext;
  /** The instructions that the verifier refuses. */
  readonly #refused = new Set<number>();
  readonly #helpers: ReturnType<typeof helperUses>;

  constructor(linked: LinkedProgram, context: JudgeContext) {
    this.#linked = linked;
    this.#context = context;
    this.#helpers = helperUses(linked, context.enums);
  }

  /** Collects the instructions that the verifier refuses if it gets there. */
  refuse(): void {
    const { relocations, externs } = this.#linked;
    for (const { relocation, instruction } of relocations) {
      if (relocation.outcome === 'POISONED') this.#refused.add(instruction);
    }
    for (const { name, instruction, isCall } of externs) {
      const refusal = this.#context.externs.get(name)?.refusedCall ?? null;
      if (isCall && refusal !== null) this.#refused.add(instruction);
    }
    for (const { missing, instructions } of this.#helpers) {
      if (missing !== null) for (const instruction of instructions) this.#refused.add(instruction);
    }
  }

  /** Follows the program, if there is anything to find out. */
  *follow(): Generator<null, ReachResult | null, void> {
    if (this.#refused.size === 0) return null;
    const { code, byteOrder, functions, callback } = this.#linked;
    const { variables, traits, isGlobal, budget } = this.#context;
    return yield* reachSteps(
      {
        code,
        byteOrder,
        functions: functions.map(({ program, start }) => ({
          start,
          isGlobal: start > 0 && isGlobal(program.sectionIndex, program.start),
          isEntry: program === callback,
        })),
        references: this.#references(),
        poisoned: this.#refused,
        asked: [],
        variables,
        verifier: traits,
      },
      budget,
    );
  }

  *relocations(): Generator<null, RelocationFinding[], void> {
    const findings: RelocationFinding[] = [];
    for (const [i, { relocation, instruction }] of this.#linked.relocations.entries()) {
      if (i % FINDINGS_PER_STEP === FINDINGS_PER_STEP - 1) yield null;
      const reached = relocation.outcome === 'POISONED' ? this.#reachOf(instruction) : null;
      const verdict = verdictOfRelocation(relocation, reached);
      if (verdict === null) continue;
      const reason = reached === null ? relocation.reason : `${relocation.reason}; ${this.#words(reached)}`;
      const near = reached !== null && isRisk(verdict) ? this.#context.near.ofRelocation(relocation) : [];
      const source = this.#sourceOf(instruction);
      findings.push({ relocation, reach: reached?.reach ?? null, verdict, source, reason, near });
      if (near.length > 0) yield null;
    }
    return findings;
  }

  attachTarget(section: SectionName | null): Need[] {
    const found = this.#attempt(() => attachNeed(this.#linked, section, this.#context));
    return found === null ? [] : [{ ...found, source: this.#sourceOf(0) }];
  }

  externs(): Need[] {
    const uses = new Map<string, { readonly first: number; readonly calls: number[]; loads: number[] }>();
    for (const { name, instruction, isCall } of this.#linked.externs) {
      const known = uses.get(name) ?? { first: instruction, calls: [], loads: [] };
      uses.set(name, known);
      (isCall ? known.calls : known.loads).push(instruction);
    }
    return [...uses].flatMap(([name, { first, calls, loads }]) => {
      const extern = this.#context.externs.get(name);
      if (extern === undefined) return [];
      const { need: own, refusedCall, reference } = extern;
      const [load] = loads;
      if (load !== undefined && reference.to === 'kfunc' && !this.#context.loadsFunctions) {
        const reason =
          'kernels before Linux 6.4 refuse programs that ask whether a function exists, if it does';
        return [{ ...own, verdict: 'FAILS', reason, source: this.#sourceOf(load) }];
      }
      if (refusedCall === null || calls.length === 0) return [{ ...own, source: this.#sourceOf(first) }];
      const worst = this.#worstCall(calls);
      const verdict = worstOf([own.verdict, worst.verdict]);
      return [
        {
          ...own,
          verdict,
          reason: `${refusedCall}; ${worst.words}`,
          source: this.#sourceOf(worst.instruction),
          near: own.object === null && isRisk(verdict) ? this.#context.near.ofType('FUNC', name) : [],
        },
      ];
    });
  }

  helpers(): Need[] {
    return this.#helpers.map(({ name, instructions, missing, unknown }) => {
      const source = this.#sourceOf(instructions[0] ?? 0);
      if (missing === null)
        return need('HELPER', name, unknown === null ? FITS : ['UNKNOWN', unknown], { source });
      const { verdict, words, instruction } = this.#worstCall(instructions);
      return need('HELPER', name, [verdict, `${missing}; ${words}`], { source: this.#sourceOf(instruction) });
    });
  }

  /** Of calls that the verifier refuses, the one that is worst for the load. */
  #worstCall(instructions: readonly number[]): {
    readonly verdict: Verdict;
    readonly words: string;
    readonly instruction: number;
  } {
    let [verdict, instruction]: [Verdict, number] = ['FITS', instructions[0] ?? 0];
    for (const call of instructions) {
      const own = verdictOfReach(this.#reachOf(call));
      if (own === verdict || worstOf([own, verdict]) !== own) continue;
      [verdict, instruction] = [own, call];
      // Nothing is worse. A program may have a million calls.
      if (own === 'FAILS') break;
    }
    return { verdict, words: this.#words(this.#reachOf(instruction)), instruction };
  }

  #references(): ReadonlyMap<number, Reference> {
    const references = new Map(this.#linked.references);
    for (const { name, instruction } of this.#linked.externs) {
      references.set(instruction, this.#context.externs.get(name)?.reference ?? { to: 'other' });
    }
    return references;
  }

  #reachOf(instruction: number): Reached {
    const known = this.reached?.instructions.get(instruction) ?? { reach: 'MAYBE', variables: [] };
    const { variables: indexes } = known;
    // The proof may begin at a global function, which not every kernel checks on its own.
    const isDoubtful = this.#context.mayCheckGlobals && instruction >= this.#linked.root.count;
    const reach = known.reach === 'ALWAYS' && isDoubtful ? 'MAYBE' : known.reach;
    const used = indexes.flatMap((index) => this.#context.variables[index] ?? []);
    return {
      reach,
      variables: used.map(({ name }) => name),
      isGiven: used.length > 0 && used.every(({ isGiven }) => isGiven),
    };
  }

  #words(reached: Reached): string {
    const obstacle = reached.reach === 'MAYBE' ? (this.reached?.obstacle ?? null) : null;
    if (obstacle === null) return wordsOfReach(reached);
    return obstacle === 'TOO_LARGE'
      ? 'the program is too large to be followed'
      : 'the program has jumps that cannot be followed';
  }

  #sourceOf(instruction: number): SourceLine | null {
    const { functions } = this.#linked;
    const own = functions.findLast(({ start }) => start <= instruction);
    if (own === undefined) return null;
    return this.#context.sources.at(own.program.section, own.program.start + instruction - own.start);
  }

  /** The kernel's types may be invalid. */
  #attempt(run: () => Need | null): Need | null {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof BtfReadError)) throw error;
      return need('ATTACH_TARGET', this.#linked.root.section, ['UNKNOWN', error.message]);
    }
  }
}
