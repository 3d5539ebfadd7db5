import { Command } from 'commander';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, baseOption, cOptions, type COptions, typeOption } from './options.js';

/** HeaderOptions are the options of `btfctl header`. */
export interface HeaderOptions extends COptions {
  readonly type?: readonly string[];
  readonly base?: string;
}

/** headerCommand is `btfctl header`. */
export function headerCommand(action: Action): Command {
  return baseOption(
    cOptions(
      typeOption(
        new Command('header')
          .description('print vmlinux.h, to compile programs against the types of a kernel')
          .argument('[spec...]', 'a SPEC, or several modules; default: vmlinux'),
      ),
    ),
  )
    .addHelpText(
      'after',
      `
The header is that of bpftool 7.8. It needs no flag of the compiler. Several
modules of one kernel share one header: btfctl header nf_conntrack xfs.
With --type, it declares the functions of that name, too. bpftool's words for an
object and a file can be used: header id 7, header file F.

${SPEC_HELP}`,
    )
    .action(action);
}
