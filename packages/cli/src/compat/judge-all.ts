import { explainError } from '../error/explain-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { CompatKernel, JudgeOptions } from './kernel.js';
import type { PreparedFile } from './prepare.js';
import type { CompatReport } from './report.js';

/** Cell is what is known of one object and one kernel. */
export interface Cell {
  readonly file: PreparedFile;
  readonly kernel: CompatKernel;
  /** Null if there was an error. */
  readonly report: CompatReport | null;
  /** Null if there is a report. */
  readonly error: unknown;
}

/** JudgeAllOptions are the options of {@link judgeAll}. */
export interface JudgeAllOptions extends JudgeOptions {
  readonly interrupted: AbortSignal;
  /** Is called with the number of results, and of all that there will be. */
  readonly progress: (done: number, total: number) => void;
  /** Is called with the results for a kernel, before what was read of it is forgotten. */
  readonly judged: (kernel: CompatKernel, cells: readonly Cell[]) => Promise<void>;
}

/** Row has the results of one object. */
export interface Row {
  readonly file: PreparedFile;
  /** In the order of the kernels. */
  readonly cells: readonly Cell[];
}

/** Daemons that are asked at a time. The process that waits for them has one thread, so more would hardly be faster. */
const MOST_DAEMONS = 8;

/**
 * judgeAll judges objects for kernels. An error takes the place of a report. It asks several daemons at a time, each for one
 * object after the other, and reads one kernel in a file after the other.
 *
 * @returns the results of each object.
 * @throws the reason of `interrupted`, and as `judged` does.
 */
export async function judgeAll(
  files: readonly PreparedFile[],
  kernels: readonly CompatKernel[],
  options: JudgeAllOptions,
): Promise<Row[]> {
  const columns = new Map<CompatKernel, Cell[]>();
  let done = 0;
  const progress = (): void => options.progress((done += 1), files.length * kernels.length);
  const work = async (waiting: Iterable<CompatKernel>): Promise<void> => {
    for (const kernel of waiting) columns.set(kernel, await judgeFor(kernel, files, options, progress));
  };
  const daemons = kernels.filter(({ isLocal }) => !isLocal).values();
  await Promise.all([
    work(kernels.filter(({ isLocal }) => isLocal)),
    ...Array.from({ length: MOST_DAEMONS }, () => work(daemons)),
  ]);
  return files.map((file, row) => ({
    file,
    cells: kernels.flatMap((kernel) => columns.get(kernel)?.[row] ?? []),
  }));
}

async function judgeFor(
  kernel: CompatKernel,
  files: readonly PreparedFile[],
  options: JudgeAllOptions,
  progress: () => void,
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const file of files) {
    const before = cells.at(-1)?.error ?? null;
    cells.push(
      before !== null && isLoss(before)
        ? { file, kernel, report: null, error: before }
        : await judgeOne(kernel, file, options),
    );
    progress();
  }
  await options.judged(kernel, cells);
  kernel.release();
  return cells;
}

async function judgeOne(kernel: CompatKernel, file: PreparedFile, options: JudgeAllOptions): Promise<Cell> {
  try {
    return { file, kernel, report: await kernel.judge(file, options), error: null };
  } catch (error) {
    options.interrupted.throwIfAborted();
    return { file, kernel, report: null, error };
  }
}

/** Whether an error is the same for each object, so that none of them need wait for it again. */
function isLoss(error: unknown): boolean {
  const { exitCode } = explainError(error);
  return exitCode === ExitCode.UNREACHABLE || exitCode === ExitCode.DENIED;
}
