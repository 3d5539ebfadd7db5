import { Command } from 'commander';
import type { Action } from './options.js';

/** CheckOptions are the options of `btfctl check`. */
export interface CheckOptions {
  readonly adapt?: boolean;
  readonly log?: boolean;
}

/** checkCommand is `btfctl check`. */
export function checkCommand(action: Action): Command {
  return new Command('check')
    .description(
      'ask whether the kernel accepts BTF, without keeping it; exit status 4 if it refuses. ' +
        'The programs and CO-RE relocations of an object are not checked: use btfctl compat for these',
    )
    .argument('<file>', 'a file of raw BTF, or the object file of a BPF program')
    .option('--adapt', 'replace types that the kernel is too old for; the default for an object file')
    .option('--no-adapt', 'leave such types as they are; the default for raw BTF')
    .option('--log', 'print the whole log of the kernel, also on a terminal')
    .action(action);
}
