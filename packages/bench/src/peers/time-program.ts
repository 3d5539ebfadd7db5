import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** ProgramCosts are the means of several runs of a program, in microseconds. */
export interface ProgramCosts {
  readonly cpuUs: number;
  readonly wallUs: number;
}

/** TimeOptions are the options of {@link timeProgram}. */
export interface TimeOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** How often the program runs. Bash reports milliseconds, of all runs. */
  readonly runs: number;
}

/** Node cannot report the CPU time of a child process. Bash can, from getrusage(2). */
const SCRIPT = `
TIMEFORMAT='%R %U %S'
runs=$1
shift
time for ((run = 0; run < runs; run++)); do "$@" > /dev/null || exit; done`;

const run = promisify(execFile);

/** timeProgram runs a program several times, and discards its output. @throws Error if a run fails. */
export async function timeProgram(
  command: readonly string[],
  { cwd, env, runs }: TimeOptions,
): Promise<ProgramCosts> {
  const { stderr } = await run('bash', ['-c', SCRIPT, 'bash', String(runs), ...command], { cwd, env });
  const [real = '', user = '', system = ''] = stderr.trim().split('\n').at(-1)?.split(' ') ?? [];
  const wallUs = (Number(real) * 1e6) / runs;
  const cpuUs = ((Number(user) + Number(system)) * 1e6) / runs;
  if (Number.isNaN(wallUs + cpuUs)) throw new Error(`bash did not report times: ${stderr}`);
  return { cpuUs, wallUs };
}
