import type { Command } from 'commander';
import { repeated } from './repeated.js';

/** typeOption declares `--type`, which can be given several times. */
export function typeOption(command: Command): Command {
  return command.option(
    '-t, --type <name>',
    'only types of this name, or that a glob matches; can be repeated',
    repeated,
  );
}
