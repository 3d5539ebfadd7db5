import { selectTypes, type TypeId } from '@btfd/btf';
import { usageError } from '../error/cli-error.js';
import type { DumpOptions } from '../grammar/dump.js';
import { dumpText } from '../output/dump-text.js';
import { DUMP_FORMATS, type DumpFormat } from '../output/formats.js';
import type { Session } from '../session/session.js';
import { chosenIds, noTypeNamed } from '../source/chosen-types.js';
import { checkNames } from '../source/glob.js';
import { type LabeledSpec, mergedSpec } from '../source/merged-spec.js';
import { type BpfRef, parseBpfWords, wordsAfter } from '../source/bpf-ref.js';
import { objectWithId, parseSpecWords } from '../source/spec-ref.js';
import { cFormOf, printHeader } from './header.js';

/** dump runs `btfctl dump`. */
export async function dump(session: Session, words: readonly string[], options: DumpOptions): Promise<void> {
  const read = readWords(words);
  const format = formatOf(session, read.format ?? options.format);
  const rootIds = [...(options.rootId ?? []), ...read.rootIds].map(typeId);
  const { type: names = [], closure = false } = options;
  if (closure && names.length === 0) throw usageError('--closure needs --type');
  if (names.length > 0 && rootIds.length > 0) throw usageError('use only one of --type and --root-id');
  checkNames(names);
  if (format === 'btf' && session.onTerminal) {
    throw usageError('raw BTF is binary: redirect it to a file with > FILE');
  }
  const bpf = bpfRef(read.specs);
  if (bpf !== null && bpf.types !== 'all' && names.length + rootIds.length > 0) {
    throw usageError(
      '--type and --root-id choose among all types of a map',
      'use them with `all`: `btfctl dump map … all`',
    );
  }
  const found = bpf === null ? null : await session.bpfObject(bpf);
  const refs = found === null ? parseSpecWords(read.specs) : [objectWithId(found.btfId)];
  const sources = await session.sources(refs, options.base);
  const cForm = cFormOf({ ...options, unsorted: options.unsorted === true || read.unsorted });
  const isWhole = names.length + rootIds.length === 0 && found === null;
  if (isWhole && format === 'c' && (await printHeader(session, sources, cForm))) return;
  const merged = await mergedSpec(sources);
  const { spec, label } = merged;
  let ids: readonly TypeId[] | null = null;
  if (names.length > 0) ids = chosenIds(spec, names, closure, label);
  else if (rootIds.length > 0) ids = existing(merged, [...new Set(rootIds)], 1);
  // As bpftool, which prints a type twice if it is both of the keys and the values, and 0 if a map does not have one.
  else if (found !== null && found.roots !== null) ids = existing(merged, found.roots, 0);
  if (format === 'btf') {
    await session.out.write(ids === null ? spec.bytes : selectTypes(spec, ids).bytes);
    return;
  }
  await session.print(dumpText(spec, format, ids, cForm, session.nameLine));
}

/** A format of `--format`, or a format of `-o` in its place. */
type Printed = DumpFormat | 'yaml' | 'name';

interface Words {
  readonly specs: readonly string[];
  readonly format: string | undefined;
  readonly unsorted: boolean;
  readonly rootIds: readonly string[];
}

/** Reads the words of `bpftool btf dump`: `SPEC… [format FORMAT [unsorted]] [root_id ID]…`. */
function readWords(words: readonly string[]): Words {
  // The first word is a SPEC, whatever its name.
  const end = words.findIndex((word, i) => i > 0 && (word === 'format' || word === 'root_id'));
  if (end === -1) return { specs: words, format: undefined, unsorted: false, rootIds: [] };
  let format: string | undefined;
  let unsorted = false;
  const rootIds: string[] = [];
  for (let at = end; at < words.length; at++) {
    const [word = '', next] = words.slice(at);
    if (word === 'unsorted') {
      unsorted = true;
      continue;
    }
    const takesValue = word === 'format' || word === 'root_id';
    if (!takesValue || next === undefined) {
      throw usageError(
        takesValue ? `${word} needs a value` : `unknown word ${JSON.stringify(word)}`,
        'after the SPEC, use `format FORMAT`, `unsorted` or `root_id ID`',
      );
    }
    if (word === 'format') format = next;
    else rootIds.push(next);
    at += 1;
  }
  return { specs: words.slice(0, end), format, unsorted, rootIds };
}

/** Returns the program or the map that words name, and nothing else; null for SPECs. */
function bpfRef(words: readonly string[]): BpfRef | null {
  const read = parseBpfWords(words);
  const [word] = read?.rest ?? [];
  if (read === null || word === undefined) return read?.ref ?? null;
  throw usageError(
    `unknown word ${JSON.stringify(word)}`,
    `these words can follow: ${wordsAfter(read.ref).join(', ')}`,
  );
}

function formatOf({ options: { output } }: Session, word: string | undefined): Printed {
  const known = DUMP_FORMATS.find((one) => one === (word ?? 'raw'));
  if (known === undefined) {
    throw usageError(`unknown format ${JSON.stringify(word)}`, `the formats are ${DUMP_FORMATS.join(', ')}`);
  }
  // The command does not take markdown.
  if (output === 'table' || output === 'wide' || output === 'markdown') return known;
  if (word !== undefined && word !== output) {
    throw usageError(`-o ${output} contradicts the format ${word}: use only one of them`);
  }
  return output;
}

function typeId(text: string): TypeId {
  const id = Number(text);
  if (/^(?:0x[\da-f]+|\d+)$/i.test(text)) return id;
  throw usageError(`${JSON.stringify(text)} is not a type id`, 'use a number, such as 150');
}

/** Returns type ids from `least`. @throws CliError NOT_FOUND if a type does not exist. */
function existing({ spec, label }: LabeledSpec, ids: readonly TypeId[], least: TypeId): readonly TypeId[] {
  const missing = ids.find((id) => id < least || id >= spec.endTypeId);
  if (missing !== undefined) throw noTypeNamed(spec, String(missing), label);
  return ids;
}
