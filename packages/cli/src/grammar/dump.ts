import { Command, Option } from 'commander';
import { DUMP_FORMATS } from '../output/formats.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, baseOption, typeOption } from './options.js';

/** dumpCommand is `btfctl dump`. */
export function dumpCommand(action: Action): Command {
  return baseOption(
    typeOption(
      new Command('dump')
        .description('print types: dump vmlinux, dump id 7 format c, dump ./vmlinux.btf --type list_head')
        .argument('<spec...>', 'a SPEC, and `format FORMAT` as bpftool takes it')
        .addOption(
          new Option('-f, --format <format>', 'how to print them; raw by default').choices(DUMP_FORMATS),
        ),
    ).option('--closure', 'with --type: also all that they refer to, which c and btf always have'),
  )
    .addHelpText(
      'after',
      `
FORMAT is one of
  raw      a line for each type, as bpftool prints it
  c        a C header, as bpftool prints it
  json     the types as \`bpftool -j\` prints them (-o json is the same)
  layout   structs and unions with offsets and holes, as pahole prints them
  btf      the bytes themselves, for a file

${SPEC_HELP}`,
    )
    .action(action);
}
