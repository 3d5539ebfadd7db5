import { VERSION } from '../base/version.js';
import { print } from './print.js';

/** main runs the program `btfd`. */
export async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const [first, ...others] = args;
  if ((first === '--version' || first === '-V') && others.length === 0) {
    print(`${VERSION}\n`);
    return;
  }
  // Imported here, because `--version` needs nothing else.
  const { runCommand } = await import('./commands.js');
  await runCommand(args);
}
