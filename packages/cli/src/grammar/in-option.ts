import type { Command } from 'commander';

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
