import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { compatData } from '../compat/compat-data.js';
import { compatMarkdown } from '../compat/compat-markdown.js';
import { compatText } from '../compat/compat-text.js';
import type { FileFailure } from '../compat/bpf-files.js';
import { countsAsFit, givenObjects } from '../compat/given-objects.js';
import { type Cell, judgeAll, type JudgeAllOptions, type Row } from '../compat/judge-all.js';
import type { CompatKernel } from '../compat/kernel.js';
import { kernelsOf } from '../compat/kernels.js';
import { MinBtfWriter } from '../compat/min-btf.js';
import { programNotes } from '../compat/program-notes.js';
import type { PreparedFile } from '../compat/prepare.js';
import { type CompatReport, isUnfit } from '../compat/report.js';
import { CliError } from '../error/cli-error.js';
import { explainError } from '../error/explain-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { CompatOptions } from '../grammar/compat.js';
import { grouped } from '../output/numbers.js';
import { someOf } from '../output/some-of.js';
import type { Session } from '../session/session.js';
import { SYSFS } from '../source/spec-ref.js';

/** compat runs `btfctl compat`. */
export async function compat(
  session: Session,
  paths: readonly string[],
  options: CompatOptions,
): Promise<number> {
  const { all = false, loader, risk } = options;
  const kernels = await kernelsOf(session, options);
  const { files, broken: unusable } = await givenObjects(session, paths, options);
  const broken = [...unusable];
  const writer = minBtfWriter(options, files);
  const rows = await judgeWithSteps(session, files, kernels, {
    loader,
    all,
    judged: async (kernel, cells) => {
      const failure = (await writer?.write(kernel, cells)) ?? null;
      if (failure !== null) broken.push(failure);
    },
  });
  const cells = rows.flatMap((row) => row.cells);
  const errors = errorsOf(cells, broken);
  const [first] = errors;
  // The only result is an error: report it like any other command.
  if (first !== undefined && errors.length === 1 && cells.every(({ report }) => report === null)) {
    throw options.on === undefined ? withoutDaemon(first.error) : first.error;
  }
  const isFit = ({ report }: Cell): boolean => report !== null && countsAsFit(report, risk);
  const fits = errors.length === 0 && cells.every(isFit);
  await session.show({
    data: compatData(cells, broken, { fits, all, minBtf: writer?.files ?? null }),
    names: rows.flatMap(({ file, cells: own }) => (own.every(isFit) ? [file.name] : [])),
    text: (wide) => compatText(rows, { colors: session.colors, width: session.width, wide, all }),
    markdown: () =>
      compatMarkdown(
        rows,
        errors.map(({ text }) => text),
        all,
      ),
  });
  printNotes(session, cells);
  for (const { path, bytes } of writer?.files ?? []) session.note(`wrote ${path}, ${grouped(bytes)} bytes`);
  for (const { text } of errors) session.warn(text);
  if (cells.some((cell) => cell.report !== null && !isFit(cell))) return ExitCode.INCOMPATIBLE;
  return first === undefined ? ExitCode.OK : explainError(first.error).exitCode;
}

/** Judges objects, and shows how many are done. */
async function judgeWithSteps(
  session: Session,
  files: readonly PreparedFile[],
  kernels: readonly CompatKernel[],
  options: Pick<JudgeAllOptions, 'loader' | 'all' | 'judged'>,
): Promise<Row[]> {
  using steps = session.steps();
  return await judgeAll(files, kernels, {
    ...options,
    interrupted: session.interrupted,
    progress: (done, total) => steps.update(done, total),
  });
}

function minBtfWriter(
  { minBtf, loader }: CompatOptions,
  files: readonly PreparedFile[],
): MinBtfWriter | null {
  if (minBtf === undefined) return null;
  return new MinBtfWriter({ folder: minBtf, loader, objects: files.map(({ object }) => object) });
}

/** Adds to the error of the default daemon, if there is none, that this machine's kernel needs none. */
function withoutDaemon(error: unknown): unknown {
  const { exitCode, message, hint } = explainError(error);
  if (exitCode !== ExitCode.UNREACHABLE || !existsSync(join(SYSFS, 'vmlinux'))) return error;
  const more = hint === null ? '' : `${hint}; `;
  return new CliError(
    exitCode,
    message,
    `${more}--on ${SYSFS} takes the kernel of this machine without a daemon`,
  );
}

/** Prints advice about options that the results depend on. */
function printNotes(session: Session, cells: readonly Cell[]): void {
  for (const note of programNotes(cells)) session.noteOnce(note);
  const undated = cells.filter(({ kernel, report }) => kernel.lacksVersion && dependsOnVersion(report));
  if (undated.length > 0) {
    const files = named(undated.map(({ file }) => file.name));
    const kernels = named(undated.map(({ kernel }) => kernel.label));
    session.noteOnce(
      `${files}: the result may depend on the version of the kernel, which is not known for ${kernels}: give it with --kernel-version`,
    );
  }
}

function dependsOnVersion(report: CompatReport | null): boolean {
  return report !== null && report.dependsOnKernelVersion && isUnfit(report.verdict);
}

/** Names that a note lists. */
const MOST_NAMED = 4;

function named(names: readonly string[]): string {
  return someOf([...new Set(names)], MOST_NAMED);
}

interface Failure {
  readonly text: string;
  readonly error: unknown;
}

/** Returns the errors, each once: most errors of a kernel are the same for all objects. */
function errorsOf(cells: readonly Cell[], failures: readonly FileFailure[]): Failure[] {
  const found = new Map<string, Failure>();
  const add = (text: string, error: unknown): void =>
    void found.set(text, found.get(text) ?? { text, error });
  for (const { error } of failures) add(explainError(error).message, error);
  for (const { kernel, file, error } of cells) {
    if (error === null) continue;
    const { message } = explainError(error);
    const isAll = cells.every((cell) => cell.kernel !== kernel || messageOf(cell) === message);
    const about = isAll ? kernel.label : `${file.name} on ${kernel.label}`;
    add(isAll && message.includes(about) ? message : `${about}: ${message}`, error);
  }
  return [...found.values()];
}

function messageOf({ error }: Cell): string | null {
  return error === null ? null : explainError(error).message;
}
