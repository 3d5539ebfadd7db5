import type { KnownOrigin } from '@btfd/client';
import { type Command, Option } from 'commander';

/** Action is the function that commander calls for a command, with its arguments and its options. */
export type Action = Parameters<Command['action']>[0];

const ORIGINS = ['vmlinux', 'module', 'kernel-other', 'user'] as const satisfies readonly KnownOrigin[];

/** originOption declares `--origin`. */
export function originOption(command: Command): Command {
  return command.addOption(new Option('--origin <origin>', 'only objects of this origin').choices(ORIGINS));
}

/** typeOption declares `--type`, which can be repeated. */
export function typeOption(command: Command, which = 'this name or id'): Command {
  const description = `only types with ${which}, or that match this glob; can be repeated`;
  return command.option('-t, --type <name>', description, repeated);
}

/** InOptions choose the types that a command looks at. */
export interface InOptions {
  readonly in: string;
  readonly base?: string;
}

/** inOption declares the {@link InOptions}. */
export function inOption(command: Command): Command {
  return baseOption(command.option('-i, --in <spec>', 'use the types of this SPEC', 'vmlinux'));
}

/** COptions are the options of C. */
export interface COptions {
  readonly unsorted?: boolean;
  readonly kfuncs: boolean;
  readonly assert?: boolean;
}

/** cOptions declares the {@link COptions}. */
export function cOptions(command: Command): Command {
  return command
    .option('--unsorted', 'C in the order of type ids; default: sorted by name')
    .option('--no-kfuncs', 'C without the declarations of kfuncs')
    .option('--assert', 'C with a _Static_assert of each size and offset');
}

/** baseOption declares `--base`, the name of bpftool's option. */
export function baseOption(command: Command): Command {
  return command.option('-B, --base <spec>', 'a SPEC of the base, for split BTF such as a module in a file');
}

const COLLECTORS = new WeakSet<object>();

/** collector marks the parser of an option that can be repeated. It returns all values until now, as a list. */
export function collector<T extends object>(parser: T): T {
  COLLECTORS.add(parser);
  return parser;
}

/** canRepeat reports whether an option can be repeated. */
export function canRepeat({ parseArg }: Option): boolean {
  return parseArg !== undefined && COLLECTORS.has(parseArg);
}

/** repeated collects the values of an option that can be repeated. */
export const repeated = collector(
  (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value],
);
