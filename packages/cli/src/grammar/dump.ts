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
        .description('print types: dump vmlinux, dump id 7 format c, dump ./vmlinux.btf --type list_head')
        .argument('<spec...>', 'a SPEC, optionally followed by `format FORMAT` as in bpftool')
        .addOption(
          new Option('-f, --format <format>', 'how to print them; raw by default').choices(DUMP_FORMATS),
        ),
    ).option('--closure', 'with --type: also the types that they refer to; c and btf always include those'),
  )
    .addHelpText(
      'after',
      `
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
