import { Command, Option } from 'commander';
import { DUMP_FORMATS, type DumpFormat } from '../output/formats.js';
import { SPEC_HELP } from '../source/spec-ref.js';
import { type Action, baseOption, cOptions, type COptions, repeated, typeOption } from './options.js';

/** DumpOptions are the options of `btfctl dump`. */
export interface DumpOptions extends COptions {
  readonly format?: DumpFormat;
  readonly type?: readonly string[];
  readonly closure?: boolean;
  readonly base?: string;
  readonly rootId?: readonly string[];
}

/** dumpCommand is `btfctl dump`. */
export function dumpCommand(action: Action): Command {
  return baseOption(
    cOptions(
      typeOption(
        new Command('dump')
          .description('print types as text, C, JSON or raw BTF')
          .argument('<spec...>', 'a SPEC, several modules, or words of bpftool')
          .addOption(
            new Option('-f, --format <format>', 'how to print the types; default: raw').choices(DUMP_FORMATS),
          ),
      ),
    )
      .option('--closure', 'with --type: also print the types that they refer to, as c and btf always do')
      .option('--root-id <id>', 'only the type with this id; can be repeated', repeated),
  )
    .addHelpText(
      'after',
      `
The words of bpftool after the SPECs are format FORMAT, unsorted and root_id ID:
dump nf_conntrack xfs format c unsorted.

In place of a SPEC, it takes a program or a map, by its id or its name:
  prog id 7       the BTF that the program was loaded with
  map name NAME   the types of the map's keys and values (kv), or with key or
                  value only one of them, or with all its whole BTF
This needs the role inspector, and a daemon with CAP_SYS_ADMIN.

FORMAT is one of
  raw      a line for each type, as bpftool 7.8 prints it
  c        a C header, as bpftool 7.8 prints it; a compiler gives each type
           the size and the offsets of the BTF
  json     the types as \`bpftool -j\` 7.8 prints them (same as -o json)
  layout   structs and unions with offsets and holes, as pahole 1.32 prints them
  btf      the raw BTF, for a file

${SPEC_HELP}`,
    )
    .action(action);
}
