import { ErrorReason } from '@btfd/api';
import {
  BtfReadError,
  type BpfObject,
  type CheckObjectOptions,
  checkObjectSteps,
  type CoreModule,
  parseBpfObject,
  readPrograms,
  type Verdict,
} from '@btfd/btf';
import { fromReadError, invalidRequest, ServiceError } from '../error/service-error.js';
import type { CheckItem, CheckJob, CheckPart, Steps } from '../pool/job.js';
import { joined, programMessages, summaryMessages } from './check/report-messages.js';
import type { SpecCache } from './spec-cache.js';
import { WorkBudget } from '../base/work-budget.js';

/** The steps that a byte of the report counts as, so that a report has at most 128 MiB. */
const STEPS_PER_BYTE = 4;

/** Of a quarter of a chunk. So the first item has the whole report of most objects. */
const PARTS_PER_CHUNK = 4;

/** ModulesWanted is thrown through the check when it searches modules that were not read. */
class ModulesWanted extends Error {}

/**
 * checkSteps returns the steps of a CheckJob. Most objects need no modules, and to read those of a kernel takes tens of
 * milliseconds. So the first job of a call has none. If the check searches them, the job ends, and a second job starts again
 * with them. The messages before that do not depend on modules, so they are the same, and the second job leaves out those that
 * were sent.
 *
 * @throws ServiceError OBJECT_WITHOUT_BTF, OBJECT_UNREADABLE or WORK_TOO_LARGE because of the object.
 * @throws ServiceError INVALID_REQUEST if the object has no such programs or variables.
 * @throws ServiceError BTF_UNDECODABLE because of the kernel.
 */
export function* checkSteps(job: CheckJob, specs: SpecCache): Steps<CheckItem> {
  const budget = new WorkBudget();
  const part = new Part();
  let made = 0;
  try {
    const messages = report(job, specs);
    for (;;) {
      const { done, value } = messages.next();
      if (done === true) {
        yield part.take(value);
        return;
      }
      if (value !== null) {
        made += 1;
        budget.spend(STEPS_PER_BYTE * value.length, 'report');
        if (made > job.sent) part.add(value);
      }
      yield part.length < job.chunkBytes / PARTS_PER_CHUNK ? null : part.take(null);
    }
  } catch (error) {
    if (!(error instanceof ModulesWanted)) throw error;
    yield { case: 'modules', value: null };
  }
}

/** Messages that are sent to the main thread together: it takes longer to pass an item than to make a small message. */
class Part {
  length = 0;
  #messages: Uint8Array[] = [];
  #ends: number[] = [];

  add(message: Uint8Array): void {
    this.length += message.length;
    this.#messages.push(message);
    this.#ends.push(this.length);
  }

  /** Returns the messages, and is empty again. */
  take(verdict: Verdict | null): CheckPart {
    const part = { case: 'messages', value: joined(this.#messages), ends: this.#ends, verdict } as const;
    this.length = 0;
    this.#messages = [];
    this.#ends = [];
    return part;
  }
}

/** Yields the encoded messages of a report, and null when other jobs may have a turn. Returns the verdict. */
function* report(job: CheckJob, specs: SpecCache): Generator<Uint8Array | null, Verdict, void> {
  const kernel = ofKernel(() => specs.get(job.kernel, null));
  const object = ofObject(() => parseBpfObject(job.object));
  ofObject(() => checkNames(object, job));
  const steps = checkObjectSteps(object, { kernel, modules: modulesOf(job, specs) }, optionsOf(job));
  for (;;) {
    const { done, value } = ofCheck(() => steps.next());
    if (done === true) {
      const infos = new Map(job.modules?.map(({ info }) => [info.name ?? '', info]));
      yield* summaryMessages(value, infos, job);
      return value.verdict;
    }
    if (value === null) yield null;
    else yield* programMessages(value, job);
  }
}

function optionsOf({
  loader,
  programs,
  variables,
  attachTargets,
  kernelVersion,
}: CheckJob): CheckObjectOptions {
  return {
    loader,
    ...(programs === null ? {} : { programs }),
    variables: Object.fromEntries(variables),
    attachTargets: Object.fromEntries(attachTargets),
    kernelVersion,
  };
}

function* modulesOf({ kernel, modules }: CheckJob, specs: SpecCache): Generator<CoreModule, void, undefined> {
  if (modules === null) throw new ModulesWanted();
  for (const { info, btf } of modules) {
    yield { name: info.name ?? '', spec: () => ofKernel(() => specs.get(btf, kernel)) };
  }
}

/** The library would report such a name, but not in which field it is. */
function checkNames(object: BpfObject, { programs, attachTargets }: CheckJob): void {
  if (programs === null && attachTargets.size === 0) return;
  const names = new Set(readPrograms(object).map(({ name }) => name));
  const check = (field: string, wanted: Iterable<string>): void => {
    for (const name of wanted) {
      if (!names.has(name)) throw invalidRequest(field, `the object has no program ${JSON.stringify(name)}`);
    }
  };
  check('programs', programs ?? []);
  check('attach_targets', attachTargets.keys());
}

/** Runs work on the kernel's BTF. */
function ofKernel<T>(run: () => T): T {
  return rethrown(run, fromReadError);
}

/** Runs work on the object alone. */
function ofObject<T>(run: () => T): T {
  return rethrown(run, (error) =>
    error.code === 'NO_BTF'
      ? new ServiceError(ErrorReason.OBJECT_WITHOUT_BTF, error.message, { cause: error })
      : unreadable(error),
  );
}

/** Runs a step of the check. The rest of the request was checked before. */
function ofCheck<T>(run: () => T): T {
  return rethrown(run, (error) => {
    if (error.code === 'INVALID_ARGUMENT') return invalidRequest('variables', error.message);
    return error.code === 'LIMIT_EXCEEDED' ? tooMuch(error) : unreadable(error);
  });
}

function rethrown<T>(run: () => T, toServiceError: (error: BtfReadError) => ServiceError): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof BtfReadError ? toServiceError(error) : error;
  }
}

function unreadable(error: BtfReadError): ServiceError {
  const { metadata } = fromReadError(error);
  return new ServiceError(ErrorReason.OBJECT_UNREADABLE, `the object cannot be read: ${error.message}`, {
    metadata,
    cause: error,
  });
}

function tooMuch(error: BtfReadError): ServiceError {
  return new ServiceError(ErrorReason.WORK_TOO_LARGE, error.message, {
    metadata: { resource: 'steps', work: 'object' },
    cause: error,
  });
}
