import type { CheckObjectOptions, ObjectReport } from '@btfd/client';
import type { Dependencies, Question } from '../ask/ask-builds.js';

/** FleetCheckOptions are the options of checking a BPF object that hold for every node. */
export interface FleetCheckOptions extends Pick<
  CheckObjectOptions,
  'loader' | 'modules' | 'programs' | 'variables' | 'attachTargets' | 'all'
> {}

/** CHECK_OPTIONS are the names of {@link FleetCheckOptions}. */
export const CHECK_OPTIONS: readonly (keyof FleetCheckOptions)[] = [
  'loader',
  'modules',
  'programs',
  'variables',
  'attachTargets',
  'all',
];

/** checkQuestion returns the question whether an object fits. */
export function checkQuestion(object: Uint8Array, options: FleetCheckOptions): Question<ObjectReport> {
  return {
    ask: async ({ client, signal }) => client.checkObject(object, { ...options, signal }),
    dependsOn: checkDependencies,
    // A module that is named and not loaded is an error.
    errorDependsOn: { modules: options.modules ?? [] },
  };
}

/** checkDependencies returns what a report of `checkObject` depends on, which the report itself says, for `askEachBuild`. */
export function checkDependencies({
  modules,
  dependsOnAllModules,
  dependsOnKernelVersion,
}: Pick<ObjectReport, 'modules' | 'dependsOnAllModules' | 'dependsOnKernelVersion'>): Dependencies {
  return {
    release: dependsOnKernelVersion,
    modules: dependsOnAllModules ? 'all' : modules.map(({ name }) => name),
  };
}
