import type { BtfClient, BtfErrorReason } from '@btfd/client';
import { checkDependencies, type Dependencies, type Question } from '@btfd/fleet';
import type { PreparedFile } from '../compat/prepare.js';
import type { Judged } from '../compat/program-notes.js';
import { isBtfError } from '../error/cli-error.js';
import type { CheckOptions } from '../grammar/compat.js';

/** BuildCheck is what is known of one object on one build. */
export interface BuildCheck extends Judged {
  /** Null if there is a report. */
  readonly error: unknown;
  readonly dependsOn: Dependencies;
}

/** The reasons of errors that are about an object or the options, and not about the node. */
const OF_THE_OBJECT: ReadonlySet<BtfErrorReason | null> = new Set([
  'INVALID_REQUEST',
  'NAME_NOT_FOUND',
  'OBJECT_UNREADABLE',
  'OBJECT_WITHOUT_BTF',
  'WORK_TOO_LARGE',
]);

/**
 * checkQuestion returns the question whether objects fit a build. A node is asked about all objects in turn, so that a fleet is
 * surveyed once.
 */
export function checkQuestion(
  files: readonly PreparedFile[],
  { loader, all = false, modules: names }: CheckOptions,
): Question<readonly BuildCheck[]> {
  const modules = names?.[0] === 'none' ? [] : names;
  const check = async (client: BtfClient, file: PreparedFile, signal: AbortSignal): Promise<BuildCheck> => {
    try {
      const report = await client.checkObject(file.bytes, {
        loader,
        all,
        modules,
        programs: file.programs ?? undefined,
        variables: file.variables,
        attachTargets: file.attachTargets,
        signal,
      });
      const named = { ...report, modules: report.modules.map(({ name }) => name) };
      return { file, report: named, error: null, dependsOn: checkDependencies(report) };
    } catch (error) {
      if (!isBtfError(error) || !OF_THE_OBJECT.has(error.reason)) throw error;
      // A module that is named may not be loaded.
      return { file, report: null, error, dependsOn: { modules: modules ?? [] } };
    }
  };
  return {
    ask: async ({ client, signal }) => {
      const checks: BuildCheck[] = [];
      for (const file of files) checks.push(await check(client, file, signal));
      return checks;
    },
    dependsOn: (checks) => allOf(checks.map(({ dependsOn }) => dependsOn)),
  };
}

/** Returns what several results depend on together. */
function allOf(parts: readonly Dependencies[]): Dependencies {
  const modules = parts.map((part) => part.modules ?? []);
  return {
    release: parts.some(({ release }) => release === true),
    modules: modules.includes('all')
      ? 'all'
      : [...new Set(modules.flatMap((each) => (each === 'all' ? [] : each)))],
  };
}
