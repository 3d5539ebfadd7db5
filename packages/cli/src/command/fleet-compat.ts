import type { BuildAnswer } from '@btfd/fleet';
import { errorData, reportData } from '../compat/compat-data.js';
import { findingsMarkdown } from '../compat/compat-markdown.js';
import { groupFindings } from '../compat/finding-groups.js';
import { findingText, wrapped } from '../compat/finding-text.js';
import { sectionsOf } from '../compat/matrix.js';
import { countsAsFit, givenObjects } from '../compat/given-objects.js';
import type { PreparedFile } from '../compat/prepare.js';
import { programNotes } from '../compat/program-notes.js';
import { type CompatFinding, type CompatReport, isNotable, isUnfit } from '../compat/report.js';
import { overallWord, paintVerdict } from '../compat/words.js';
import { explainError } from '../error/explain-error.js';
import { ExitCode } from '../error/exit-code.js';
import { type BuildCheck, checkQuestion } from '../fleet/check-builds.js';
import { openFleet } from '../fleet/open-fleet.js';
import { type BuildRows, showFleet } from '../fleet/show-fleet.js';
import type { FleetCompatOptions } from '../grammar/fleet-compat.js';
import { code } from '../output/markdown.js';
import { printable } from '../output/safe-text.js';
import type { Session } from '../session/session.js';

type CheckAnswer = BuildAnswer<readonly BuildCheck[]>;

/** fleetCompat runs `btfctl fleet compat`. */
export async function fleetCompat(
  session: Session,
  paths: readonly string[],
  options: FleetCompatOptions,
): Promise<number> {
  const { all = false, risk } = options;
  const { files, broken } = await givenObjects(session, paths, options);
  const [firstBroken] = broken;
  if (files.length === 0 && firstBroken !== undefined) throw firstBroken.error;
  await using open = await openFleet(session, options);
  const answer = await open.fleet.askEachBuild(checkQuestion(files, options), open.ask);
  const { builds } = answer;
  const checks = builds.flatMap(({ value }) => value ?? []);
  const isFit = ({ report }: BuildCheck): boolean => report !== null && countsAsFit(report, risk);
  const isUnfitCheck = (check: BuildCheck): boolean => check.report !== null && !isFit(check);
  const errors = [...broken, ...checks].flatMap(({ error }) => (error === null ? [] : [error]));
  const exitCode = checks.some(isUnfitCheck)
    ? ExitCode.INCOMPATIBLE
    : errors.length > 0
      ? explainError(errors[0]).exitCode
      : ExitCode.OK;
  const ownExit = await showFleet(session, open, options, answer, {
    table: () => compatRows(files, session),
    data: {
      fits: exitCode === ExitCode.OK,
      errors: broken.map(({ path, error }) => Object.assign({ file: path }, errorData(error))),
    },
    buildData: ({ value }) => ({ results: (value ?? []).map((check) => checkData(check, all)) }),
    names: files
      .filter((file) => checks.every((check) => check.file !== file || isFit(check)))
      .map(({ name }) => name),
    after: (labels, wide) => detailsText(files, builds, labels, { session, wide, all }),
    markdownAfter: (labels) =>
      sectionsOf(rowsOf(files, builds, labels), ({ reports }) =>
        findingsMarkdown(reports, builds.length, all),
      )
        .map(({ names, text }) => `\n### ${names.map(code).join(', ')}\n\n${text}`)
        .join(''),
    exitCode,
  });
  for (const note of programNotes(checks)) session.noteOnce(note);
  for (const message of new Set(errors.map((error) => explainError(error).message))) session.warn(message);
  return ownExit;
}

function compatRows(files: readonly PreparedFile[], { colors }: Session): BuildRows<CheckAnswer> {
  const hasMany = files.length > 1;
  return {
    columns: [
      ...(hasMany ? [{ heading: 'OBJECT', shrinks: true }] : []),
      { heading: 'VERDICT', color: (text: string) => paintVerdict(text, colors) },
      { heading: 'REASON', shrinks: true },
    ],
    rows: ({ value }, label) =>
      value === null
        ? [[...(hasMany ? [''] : []), '(no answer)']]
        : value.map(({ file, report, error }) => [
            ...(hasMany ? [file.name] : []),
            ...(report === null
              ? ['error', explainError(error).message]
              : [overallWord(report.verdict), firstReason(label, report)]),
          ]),
  };
}

/** Returns the worst finding because of which an object does not fit; empty if there is none. */
function firstReason(label: string, report: CompatReport): string {
  const [first] = groupFindings([{ label, report }], ({ verdict }) => isUnfit(verdict));
  if (first === undefined) return '';
  return `${first.kind} ${first.subjects[0] ?? ''}${first.reason === '' ? '' : `: ${first.reason}`}`;
}

function checkData({ file, report, error }: BuildCheck, all: boolean): object {
  return {
    object: file.name,
    file: file.path,
    offset: file.offset,
    ...(report === null ? { error: errorData(error) } : reportData(report, all)),
  };
}

interface Reports {
  readonly file: PreparedFile;
  readonly reports: readonly { readonly label: string; readonly report: CompatReport }[];
}

/** Returns the reports about each object, with the labels of the builds. */
function rowsOf(
  files: readonly PreparedFile[],
  builds: readonly CheckAnswer[],
  labels: readonly string[],
): Reports[] {
  return files.map((file) => ({
    file,
    reports: builds.flatMap(({ value }, index) =>
      (value ?? []).flatMap(({ file: own, report }) =>
        own === file && report !== null ? [{ label: labels[index] ?? '', report }] : [],
      ),
    ),
  }));
}

function detailsText(
  files: readonly PreparedFile[],
  builds: readonly CheckAnswer[],
  labels: readonly string[],
  { session, wide, all }: { readonly session: Session; readonly wide: boolean; readonly all: boolean },
): string {
  const { colors, width } = session;
  const isWanted = (finding: CompatFinding): boolean =>
    all || (wide ? isNotable(finding) : isUnfit(finding.verdict));
  const kernels = builds.length;
  return sectionsOf(rowsOf(files, builds, labels), ({ reports }) =>
    groupFindings(reports, isWanted)
      .map((one) => findingText(one, { colors, width, wide, kernels }))
      .join(''),
  )
    .map(({ names, text }) => {
      const heading = wrapped(names.map(printable).join(', '), width, '').map(colors.strong);
      return `\n${heading.join('\n')}\n${text}`;
    })
    .join('');
}
