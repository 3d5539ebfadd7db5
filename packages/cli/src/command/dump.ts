import { Command, Option } from 'commander';
import { usageError } from '../cli-error.js';
import { dumpText, TEXT_FORMATS } from '../output/dump-text.js';
import type { Run } from '../run.js';
import type { Session } from '../session.js';
import { chosenIds } from '../source/chosen-types.js';
import { parseSpecWords, SPEC_HELP, type SpecRef } from '../source/spec-ref.js';
import { selectTypes } from '@btfd/btf';
import { baseOption } from './in-option.js';
import { printText } from './print-text.js';

const FORMATS = [...TEXT_FORMATS, 'btf'] as const;

type DumpFormat = (typeof FORMATS)[number];

interface DumpOptions {
  readonly format?: DumpFormat;
  readonly type?: readonly string[];
  readonly closure?: boolean;
  readonly base?: string;
}

/** dumpCommand is `btfctl dump`. */
export function dumpCommand(run: Run): Command {
  return baseOption(
    typeOption(
      new Command('dump')
        .description('print types: dump vmlinux, dump id 7 format c, dump ./vmlinux.btf --type list_head')
        .argument('<spec...>', 'a SPEC, and `format FORMAT` as bpftool takes it')
        .addOption(new Option('-f, --format <format>', 'how to print them; raw by default').choices(FORMATS)),
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
    .action(run(dump));
}

/** typeOption declares `--type`, which can be given several times. */
export function typeOption(command: Command): Command {
  return command.option(
    '-t, --type <name>',
    'only types of this name, or that a glob matches; can be repeated',
    (name: string, names: readonly string[] | undefined) => [...(names ?? []), name],
  );
}

async function dump(session: Session, words: readonly string[], options: DumpOptions): Promise<void> {
  const { ref, format } = readWords(session, words, options);
  const source = session.source(ref, options.base);
  const spec = await source.spec();
  const { type: names = [], closure = false } = options;
  if (closure && names.length === 0) throw usageError('--closure is for --type');
  const ids = names.length === 0 ? null : chosenIds(spec, names, closure, source.label);
  if (format === 'btf') {
    if (session.onTerminal) throw usageError('BTF is no text: write it to a file, with > FILE');
    await session.out.write(ids === null ? spec.bytes : selectTypes(spec, ids).bytes);
    return;
  }
  await printText(session, dumpText(spec, format, ids));
}

function readWords(
  { options: { output } }: Session,
  words: readonly string[],
  { format }: DumpOptions,
): { readonly ref: SpecRef; readonly format: DumpFormat } {
  const hasFormat = words.length > 2 && words.at(-2) === 'format';
  const ref = parseSpecWords(hasFormat ? words.slice(0, -2) : words);
  const word = hasFormat ? words.at(-1) : format;
  if (output === 'json' && (word === undefined || word === 'json')) return { ref, format: 'json' };
  if (output !== 'table' && output !== 'wide') {
    throw usageError(`dump cannot print ${output}`, `it prints ${FORMATS.join(', ')}, by --format`);
  }
  const found = FORMATS.find((known) => known === (word ?? 'raw'));
  if (found === undefined) throw usageError(`there is no format ${word}`, `there are ${FORMATS.join(', ')}`);
  return { ref, format: found };
}
