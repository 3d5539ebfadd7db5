import type { KnownOrigin } from '@btfd/client';
import { type Command, Option } from 'commander';

/** Action is what commander calls for a command that was typed, with its arguments and its options. */
export type Action = Parameters<Command['action']>[0];

const ORIGINS = ['vmlinux', 'module', 'kernel-other', 'user'] as const satisfies readonly KnownOrigin[];

/** originOption declares `--origin`. */
export function originOption(command: Command): Command {
  return command.addOption(new Option('--origin <origin>', 'objects of one origin').choices(ORIGINS));
}

/** typeOption declares `--type`, which can be given several times. */
export function typeOption(command: Command): Command {
  return command.option(
    '-t, --type <name>',
    'only types of this name, or that a glob matches; can be repeated',
    repeated,
  );
}

/** InOptions say whose types a command looks at. */
export interface InOptions {
  readonly in: string;
  readonly base?: string;
}

/** inOption declares the {@link InOptions}. */
export function inOption(command: Command): Command {
  return baseOption(command.option('-i, --in <spec>', 'look at the types of this SPEC', 'vmlinux'));
}

/** baseOption declares `--base`, the name of bpftool's option. */
export function baseOption(command: Command): Command {
  return command.option('-B, --base <spec>', 'what split BTF, such as a module in a file, continues');
}

/** repeated collects the values of an option that can be given several times. */
export function repeated(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
