import { Command, Option } from 'commander';
import { DUMP_FORMATS, type DumpFormat } from '../output/formats.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, baseOption, typeOption } from './options.js';

/** DumpOptions are the options of `btfctl dump`. */
export interface DumpOptions {
  readonly format?: DumpFormat;
  readonly type?: readonly string[];
  readonly closure?: boolean;
  readonly base?: string;
}

/** dumpCommand is `btfctl dump`. */
export function dumpCommand(action: Action): Command {
  return baseOption(
    typeOption(
      new Command('dump')
        .description('print types as text, C, JSON or raw BTF')
        .argument('<spec...>', 'a SPEC, optionally followed by `format FORMAT` as in bpftool')
        .addOption(
          new Option('-f, --format <format>', 'how to print the types; default: raw').choices(DUMP_FORMATS),
        ),
    ).option('--closure', 'with --type: also print the types that they refer to, as c and btf always do'),
  )
    .addHelpText(
      'after',
      `
For example:
  btfctl dump vmlinux
  btfctl dump id 7 format c
  btfctl dump ./vmlinux.btf --type list_head

FORMAT is one of
  raw      a line for each type, as bpftool prints it
  c        a C header, as bpftool prints it
  json     the types as \`bpftool -j\` prints them (same as -o json)
  layout   structs and unions with offsets and holes, as pahole prints them
  btf      the raw BTF, for a file

${SPEC_HELP}`,
    )
    .action(action);
}
