import { Command } from 'commander';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, inOption, type InOptions } from './options.js';

/** ValueOptions are the options of `btfctl value`. */
export interface ValueOptions extends InOptions {
  readonly data: string;
  readonly hex?: boolean;
  readonly compact?: boolean;
  readonly skipNames?: boolean;
  readonly emitZeroes?: boolean;
  readonly emitStrings?: boolean;
}

/** valueCommand is `btfctl value`. */
export function valueCommand(action: Action): Command {
  return inOption(
    new Command('value')
      .description('print bytes, for example of a map, as a value of a type')
      .argument(
        '<type>',
        'name or id of a type, of a variable or of a data section: pair, "struct pair", 7, .bss',
      )
      .option('-d, --data <file>', 'the file with the bytes; - is standard input', '-')
      .option('-x, --hex', 'the bytes are hexadecimal text, as bpftool 7.8 prints them')
      .option('--compact', 'no line breaks and no indentation')
      .option('--skip-names', 'no names of members and types')
      .option('--emit-zeroes', 'also members that are zero')
      .option('--emit-strings', 'arrays of bytes as strings, if they end in NUL'),
  )
    .addHelpText(
      'after',
      `
The text is that of libbpf 1.7, and its options are those of libbpf. With
-o json, integers of more than 32 bits are strings, and so are pointers.
A part whose bytes are missing is <missing>, or null in JSON; then the exit
code is 1.

${SPEC_HELP}`,
    )
    .action(action);
}
