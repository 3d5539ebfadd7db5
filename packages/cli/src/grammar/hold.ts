import { Command } from 'commander';
import type { Run } from '../session/run.js';

/** holdCommand is `btfctl hold`. */
export function holdCommand(run: Run): Command {
  return new Command('hold')
    .description("keep an object open while a command runs; exits with the command's exit code")
    .argument('<object>', 'a BTF id, or the name of an object of the kernel')
    .argument('<command...>', 'behind --, the command; it finds the id in BTF_ID')
    .usage('[options] <object> -- <command...>')
    .addHelpText('after', '\nFor example: btfctl hold 7 -- bpftool btf dump id 7')
    .action(run(async () => (await import('../command/hold.js')).hold));
}
