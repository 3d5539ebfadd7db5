import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { programPath } from './programs.js';

/** DriverName is a library whose rows a driver measures. */
export type DriverName = 'btfd' | 'libbpf' | 'cilium';

/** DriverResult is the output of a driver: one number for each repetition. */
export interface DriverResult {
  readonly cpuUs: readonly number[];
  readonly wallUs: readonly number[];
  readonly result: string;
}

const run = promisify(execFile);
const BTFD_DRIVER = fileURLToPath(new URL('./btfd-driver.js', import.meta.url));

/** driverCommand returns the command of a driver. @throws MissingPeerError if it was not built. */
export function driverCommand(name: DriverName, nodeArgs: readonly string[]): string[] {
  if (name === 'btfd') return [process.execPath, ...nodeArgs, BTFD_DRIVER];
  return [programPath(`${name}-driver`)];
}

/** runDriver repeats a row in a new process of a driver. @throws Error with its message if it fails. */
export async function runDriver(
  [program = '', ...args]: readonly string[],
  row: string,
  file: string,
  count: number,
): Promise<DriverResult> {
  const { stdout } = await run(program, [...args, row, file, String(count)]);
  const result: DriverResult = JSON.parse(stdout);
  return result;
}
