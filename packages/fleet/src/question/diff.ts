import { setImmediate } from 'node:timers/promises';
import { type DiffKind, type DiffOptions, diffSteps, type NameTest, Spec, type SpecDiff } from '@btfd/btf';
import { BtfError, status } from '@btfd/client';
import { type AskOptions, askBuilds, type Question } from '../ask/ask-builds.js';
import type { FleetAnswer } from '../ask/fleet-answer.js';
import { invalidArgument } from '../base/argument.js';
import { Bounded } from '../base/bounded.js';
import { lateFailure } from '../survey/node-outcome.js';
import { PastSurvey } from '../survey/past-survey.js';
import { Survey, type SurveyContext, type SurveyedNode } from '../survey/survey.js';
import { nameTestOf } from './find-types.js';
import { type KernelSpecs, ofObject } from './kernel-specs.js';

/** FleetDiffOptions are the options of comparing the types of builds. */
export interface FleetDiffOptions {
  /**
   * The types with which those of each build are compared: `@NAME` for those of a node, the digest of a build or its
   * first 8 characters or more, or a Spec.
   */
  readonly from: string | Spec;
  /** The names of types, or globs. Default: all types. */
  readonly types?: readonly string[] | undefined;
  /** The kinds of types. Default: every kind that `diffSpecs` of `@btfd/btf` compares. */
  readonly kinds?: readonly DiffKind[] | undefined;
  /** Whether to also compare the types that these refer to. Default: false. */
  readonly closure?: boolean | undefined;
  /** The object of the kernel: `vmlinux`, or the name of a module. Default: `vmlinux`. */
  readonly object?: string | undefined;
}

/** DIFF_OPTIONS are the names of {@link FleetDiffOptions}. */
export const DIFF_OPTIONS: readonly (keyof FleetDiffOptions)[] = [
  'from',
  'types',
  'kinds',
  'closure',
  'object',
];

/** The digest of a build, or as much of it as people write. */
const DIGEST = /^[0-9a-f]{8,64}$/;

/** checkDiff checks the options. @throws BtfError INVALID_REQUEST for a mistake in `from` or in a glob. */
export function checkDiff({ from, types }: FleetDiffOptions): void {
  namesOf(types);
  if (from instanceof Spec || /^@./.test(from) || DIGEST.test(from)) return;
  const shown = `"${from}"`.slice(0, 100);
  throw invalidArgument('from', `must be @NODE, 8 to 64 characters of a digest, or a Spec, not ${shown}`);
}

/** Returns a test for names and globs; undefined for all names. */
function namesOf(types: readonly string[] | undefined): NameTest | undefined {
  const tests = types?.map((type) => nameTestOf('types', type));
  return tests && ((name) => tests.some((test) => test(name)));
}

/**
 * diffBuilds compares the types of each build with a Spec, or with those of one node. For the latter, the whole fleet is
 * surveyed first, and only once.
 *
 * @throws BtfError INVALID_REQUEST for a digest that begins those of several builds, and NOT_FOUND if no node is meant.
 * @throws BtfError of the node whose types are needed, also DEADLINE_EXCEEDED if they are not there in time.
 * @throws BtfError as `askBuilds` does.
 */
export async function diffBuilds(
  context: SurveyContext,
  specs: KernelSpecs,
  { from, types, object = 'vmlinux', ...selection }: FleetDiffOptions,
  { signal, deadline = Infinity, onNode }: AskOptions,
): Promise<FleetAnswer<SpecDiff>> {
  const options = { ...selection, named: namesOf(types) };
  const compared = (other: Spec): Question<SpecDiff> =>
    ofObject(object, async (node) => compare(other, await specs.of(node, object), options, node.signal));
  if (from instanceof Spec) return askBuilds(context, compared(from), { signal, deadline, onNode });
  const endsAt = performance.now() + deadline;
  const rest = (): AskOptions => ({ signal, deadline: Math.max(1, endsAt - performance.now()) });
  const past = await surveyed(context, { signal, deadline, onNode });
  const isFrom = meantBy(from, past.surveyed);
  const own = ofObject(object, async (node) => specs.of(node, object));
  const { builds } = await askBuilds(context, own, rest(), (listener) => past.again(listener, isFrom));
  const [first] = builds;
  if (first === undefined || first.value === null) throw first?.error ?? lateFailure().error;
  return askBuilds(context, compared(first.value), rest(), (listener) => past.again(listener));
}

async function surveyed(
  context: SurveyContext,
  { signal, deadline = Infinity, onNode }: AskOptions,
): Promise<PastSurvey> {
  const past = new PastSurvey();
  const survey = new Survey(context, (each, known) => {
    past.add(each, known);
    onNode?.(each);
  });
  using bounded = new Bounded([signal], deadline);
  try {
    await survey.run(bounded.signal);
  } catch (error) {
    if (!bounded.timedOut) throw error;
    survey.endLate();
  }
  return past;
}

/** Returns a test for the nodes that are meant. They have answered, and run one build. */
function meantBy(from: string, nodes: readonly SurveyedNode[]): (node: SurveyedNode) => boolean {
  if (!from.startsWith('@')) {
    const digests = new Set(
      nodes.flatMap(({ build }) => build?.digest ?? []).filter((each) => each.startsWith(from)),
    );
    if (digests.size > 1)
      throw invalidArgument('from', `${from} begins the digests of ${digests.size} builds: use more of it`);
    if (digests.size === 0) throw notThere(`no node answered that runs build ${from}`);
    return ({ build }) => build !== null && build.digest !== null && digests.has(build.digest);
  }
  const name = from.slice(1);
  const found = nodes.find((node) => node.name === name);
  if (found === undefined) throw notThere(`the fleet has no node ${name}`);
  const { outcome } = found;
  if ('error' in outcome) throw outcome.error;
  const meant = outcome.kind === 'duplicate' ? outcome.of : name;
  return (node) => node.name === meant;
}

/** Compares types, and lets other work of the process run in between: all types of two kernels take seconds. */
async function compare(from: Spec, to: Spec, options: DiffOptions, signal: AbortSignal): Promise<SpecDiff> {
  const steps = diffSteps(from, to, options);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await setImmediate();
    signal.throwIfAborted();
  }
}

function notThere(message: string): BtfError {
  return new BtfError({ code: status.NOT_FOUND, reason: null, message });
}
