import { explainError } from '../error/explain-error.js';
import type { CheckOptions } from '../grammar/compat.js';
import type { Session } from '../session/session.js';
import { STANDARD_INPUT } from '../source/spec-ref.js';
import { type FileFailure, readBpfFiles } from './bpf-files.js';
import { prepareFiles, type PreparedFile } from './prepare.js';
import { type CompatReport, isUnfit } from './report.js';

/** GivenObjects are the BPF objects that arguments name. */
export interface GivenObjects {
  readonly files: readonly PreparedFile[];
  /** The files that cannot be read or used. */
  readonly broken: readonly FileFailure[];
}

/**
 * givenObjects reads the BPF objects that arguments name, and applies the options about their programs and variables.
 *
 * @throws CliError as `prepareFiles` does.
 */
export async function givenObjects(
  session: Session,
  paths: readonly string[],
  { program = [], set = [], attach = [] }: Pick<CheckOptions, 'program' | 'set' | 'attach'>,
): Promise<GivenObjects> {
  if (paths.includes(STANDARD_INPUT)) session.takeInput();
  const read = await readBpfFiles(paths, session.interrupted);
  const { files, failures, skipped } = prepareFiles(read.files, {
    programs: program,
    settings: set,
    targets: attach,
  });
  for (const { error } of read.leftOut) session.noteOnce(`left out: ${explainError(error).message}`);
  for (const name of skipped) session.noteOnce(`${name} has none of the programs`);
  return { files, broken: [...read.failures, ...failures] };
}

/** countsAsFit reports whether an object with a report counts as one that fits; with `--risk allow` only FAILS does not. */
export function countsAsFit({ verdict }: Pick<CompatReport, 'verdict'>, risk: CheckOptions['risk']): boolean {
  return risk === 'allow' ? verdict !== 'FAILS' : !isUnfit(verdict);
}
