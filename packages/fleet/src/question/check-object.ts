import type { CheckObjectOptions, ObjectReport } from '@btfd/client';
import type { Question } from '../ask/ask-builds.js';

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

/** checkQuestion returns the question whether an object fits. The report says itself which modules it depends on. */
export function checkQuestion(object: Uint8Array, options: FleetCheckOptions): Question<ObjectReport> {
  return {
    ask: async ({ client, signal }) => client.checkObject(object, { ...options, signal }),
    dependsOn: ({ modules, dependsOnAllModules, dependsOnKernelVersion }) => ({
      release: dependsOnKernelVersion,
      modules: dependsOnAllModules ? 'all' : modules.map(({ name }) => name),
    }),
    // A module that is named and not loaded is an error.
    errorDependsOn: { modules: options.modules ?? [] },
  };
}
