import type { KnownOrigin } from '@btfd/client';
import { type Command, Option } from 'commander';

const ORIGINS = ['vmlinux', 'module', 'kernel-other', 'user'] as const satisfies readonly KnownOrigin[];

/** originOption declares `--origin`. */
export function originOption(command: Command): Command {
  return command.addOption(new Option('--origin <origin>', 'objects of one origin').choices(ORIGINS));
}
