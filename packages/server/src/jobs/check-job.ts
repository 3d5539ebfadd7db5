import { ErrorReason } from '@btfd/api';
import {
  BtfFormatError,
  type BpfObject,
  type CheckObjectOptions,
  checkObjectSteps,
  type CoreModule,
  parseBpfObject,
  readPrograms,
} from '@btfd/btf';
import { fromFormatError, invalidRequest, ServiceError } from '../error/service-error.js';
import type { CheckItem, CheckJob, Steps } from '../pool/job.js';
import { programMessages, summaryMessages } from './check/report-messages.js';
import type { SpecCache } from './spec-cache.js';
import { WorkBudget } from './work-budget.js';

/** The steps that a byte of the report counts as, so that a report has at most 128 MiB. */
const STEPS_PER_BYTE = 4;

/** ModulesWanted is thrown through the check when it searches modules that were not read. */
class ModulesWanted extends Error {}

/**
 * checkSteps returns the steps of a CheckJob. Most objects need no modules, and to read those of a kernel takes tens of
 * milliseconds. So the first job of a call has none. If the check searches them, the job ends, and a second job starts again
 * with them. The messages before that do not depend on modules, so they are the same, and the second job leaves them out.
 *
 * @throws ServiceError OBJECT_WITHOUT_BTF, OBJECT_UNREADABLE or WORK_TOO_LARGE because of the object.
 * @throws ServiceError INVALID_REQUEST if the object has no such programs or variables.
 * @throws ServiceError BTF_UNDECODABLE because of the kernel.
 */
export function* checkSteps(job: CheckJob, specs: SpecCache): Steps<CheckItem> {
  const budget = new WorkBudget();
  let made = 0;
  try {
    for (const item of report(job, specs)) {
      if (item === null) yield null;
      else {
        made += 1;
        budget.spend(STEPS_PER_BYTE * item.value.length, 'report');
        yield made > job.sent ? item : null;
      }
    }
  } catch (error) {
    if (!(error instanceof ModulesWanted)) throw error;
    yield { case: 'modules', value: null };
  }
}

function* report(
  job: CheckJob,
  specs: SpecCache,
): Generator<Exclude<CheckItem, { case: 'modules' }> | null, void, void> {
  const kernel = ofKernel(() => specs.get(job.kernel, null));
  const object = ofObject(() => parseBpfObject(job.object));
  ofObject(() => checkNames(object, job));
  const steps = checkObjectSteps(object, { kernel, modules: modulesOf(job, specs) }, optionsOf(job));
  for (;;) {
    const { done, value } = ofCheck(() => steps.next());
    if (done === true) {
      const infos = new Map(job.modules?.map(({ info }) => [info.name ?? '', info]));
      yield* summaryMessages(value, infos, job);
      return;
    }
    if (value === null) yield null;
    else for (const message of programMessages(value, job)) yield { case: 'message', value: message };
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
  return rethrown(run, fromFormatError);
}

/** Runs work on the object alone. */
function ofObject<T>(run: () => T): T {
  return rethrown(run, (error) =>
    error.code === 'NOT_FOUND'
      ? new ServiceError(ErrorReason.OBJECT_WITHOUT_BTF, error.message, { cause: error })
      : unreadable(error),
  );
}

/** Runs a step of the check. All else that it may refuse about a request was checked before. */
function ofCheck<T>(run: () => T): T {
  return rethrown(run, (error) => {
    if (error.code === 'INVALID_ARGUMENT') return invalidRequest('variables', error.message);
    return error.code === 'LIMIT_EXCEEDED' ? tooMuch(error) : unreadable(error);
  });
}

function rethrown<T>(run: () => T, toServiceError: (error: BtfFormatError) => ServiceError): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof BtfFormatError ? toServiceError(error) : error;
  }
}

function unreadable(error: BtfFormatError): ServiceError {
  const { metadata } = fromFormatError(error);
  return new ServiceError(ErrorReason.OBJECT_UNREADABLE, `the object cannot be read: ${error.message}`, {
    metadata,
    cause: error,
  });
}

function tooMuch(error: BtfFormatError): ServiceError {
  return new ServiceError(ErrorReason.WORK_TOO_LARGE, error.message, {
    metadata: { resource: 'steps', work: 'object' },
    cause: error,
  });
}
