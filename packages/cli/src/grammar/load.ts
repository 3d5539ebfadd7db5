import { Command } from 'commander';
import type { Action } from './options.js';

/** LoadOptions are the options of `btfctl load`. */
export interface LoadOptions {
  readonly adapt?: boolean;
  readonly log?: boolean;
}

/** loadCommand is `btfctl load`. */
export function loadCommand(action: Action): Command {
  return new Command('load')
    .description('load BTF into the kernel and hold it there until Ctrl-C')
    .argument('<file>', 'a file of raw BTF, or the object file of a BPF program')
    .option('--adapt', 'replace types that the kernel is too old for; the default for an object file')
    .option('--no-adapt', 'leave such types as they are; the default for raw BTF')
    .option('--log', 'if the kernel refuses the BTF, print its whole log, also on a terminal')
    .action(action);
}
