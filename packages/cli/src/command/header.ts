import { Command } from 'commander';
import { dumpText } from '../output/dump-text.js';
import type { Run } from '../run.js';
import { chosenIds } from '../source/chosen-types.js';
import { parseSpecRef, SPEC_HELP } from '../source/spec-ref.js';
import { typeOption } from './dump.js';
import { baseOption } from './in-option.js';
import { printText } from './print-text.js';

interface HeaderOptions {
  readonly type?: readonly string[];
  readonly base?: string;
}

/** headerCommand is `btfctl header`. */
export function headerCommand(run: Run): Command {
  return baseOption(
    typeOption(
      new Command('header')
        .description('print vmlinux.h, for programs that are compiled against the types of a kernel')
        .argument('[spec]', 'a SPEC', 'vmlinux'),
    ),
  )
    .addHelpText('after', `\n${SPEC_HELP}`)
    .action(
      run(async (session, text: string, { type = [], base }: HeaderOptions) => {
        const source = session.source(parseSpecRef(text), base);
        const spec = await source.spec();
        const ids = type.length === 0 ? null : chosenIds(spec, type, false, source.label);
        await printText(session, dumpText(spec, 'c', ids));
      }),
    );
}
