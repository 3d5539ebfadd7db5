import { Command } from 'commander';
import type { Action } from './options.js';

/** CheckOptions are the options of `btfctl check`. */
export interface CheckOptions {
  readonly adapt?: boolean;
}

/** checkCommand is `btfctl check`. */
export function checkCommand(action: Action): Command {
  return new Command('check')
    .description(
      "check BTF with the kernel's verifier, without keeping it; programs and CO-RE relocations are not checked; " +
        'exit status 4 if it is refused',
    )
    .argument('<file>', 'a file of raw BTF, or the object file of a BPF program')
    .option('--adapt', 'replace types that the kernel is too old for; the default for an object file')
    .option('--no-adapt', 'leave such types as they are; the default for raw BTF')
    .action(action);
}
