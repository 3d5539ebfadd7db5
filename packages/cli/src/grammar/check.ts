import { Command } from 'commander';
import type { Action } from './options.js';

/** checkCommand is `btfctl check`. */
export function checkCommand(action: Action): Command {
  return new Command('check')
    .description("ask the kernel's verifier about BTF, and keep nothing; exits with 4 where it refuses")
    .argument('<file>', 'a file of raw BTF, or the object file of a BPF program')
    .option('--adapt', 'rewrite what the kernel is too old for into what it knows')
    .action(action);
}
