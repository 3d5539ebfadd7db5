import type { PreparedFile } from './prepare.js';
import type { CompatReport } from './report.js';

/** Judged is an object with what is known of it on one kernel. */
export interface Judged {
  readonly file: PreparedFile;
  /** Null if there was an error. */
  readonly report: CompatReport | null;
}

/** programNotes returns advice about --program and --attach, if the results may depend on them. */
export function programNotes(results: readonly Judged[]): string[] {
  const notes = results.flatMap(({ file, report }) =>
    report !== null && report.programs.length > 0 && report.programs.every(({ loaded }) => !loaded)
      ? [`${file.name}: the loader loads none of its programs by default; choose some with --program`]
      : [],
  );
  const [lacking] = results.flatMap(({ file, report }) => {
    const program = report?.programs.find(
      (one) => lacksTarget(one) && !Object.hasOwn(file.attachTargets, one.name),
    );
    return program === undefined ? [] : [{ file, program }];
  });
  if (lacking === undefined) return notes;
  const { file, program } = lacking;
  return [
    ...notes,
    `if user space sets the targets of programs, such as ${program.name} of ${file.name}, give them with ` +
      `--attach ${program.name}=TARGET; if it does not load them, choose others with --program`,
  ];
}

/** Whether the kernel lacks the target of a program, or its section has none. */
function lacksTarget({ needs }: CompatReport['programs'][number]): boolean {
  return needs.some(
    ({ kind, verdict, name, object }) =>
      kind === 'ATTACH_TARGET' && ((verdict === 'FAILS' && object === null) || name === ''),
  );
}
