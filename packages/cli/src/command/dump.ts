import { selectTypes } from '@btfd/btf';
import { usageError } from '../error/cli-error.js';
import type { DumpOptions } from '../grammar/dump.js';
import { dumpText } from '../output/dump-text.js';
import { DUMP_FORMATS, type DumpFormat } from '../output/formats.js';
import type { Session } from '../session/session.js';
import { chosenIds } from '../source/chosen-types.js';
import { checkNames } from '../source/glob.js';
import { parseSpecWords, type SpecRef } from '../source/spec-ref.js';

/** dump runs `btfctl dump`. */
export async function dump(session: Session, words: readonly string[], options: DumpOptions): Promise<void> {
  const { ref, format } = readWords(session, words, options);
  const { type: names = [], closure = false } = options;
  if (closure && names.length === 0) throw usageError('--closure needs --type');
  checkNames(names);
  if (format === 'btf' && session.onTerminal) {
    throw usageError('raw BTF is binary: redirect it to a file with > FILE');
  }
  const source = await session.source(ref, options.base);
  const spec = await source.spec();
  const ids = names.length === 0 ? null : chosenIds(spec, names, closure, source.label);
  if (format === 'btf') {
    await session.out.write(ids === null ? spec.bytes : selectTypes(spec, ids).bytes);
    return;
  }
  await session.print(dumpText(spec, format, ids));
}

/** A format of `--format`, or a format of `-o` in its place. */
type Printed = DumpFormat | 'yaml' | 'name';

function readWords(
  { options: { output } }: Session,
  words: readonly string[],
  { format }: DumpOptions,
): { readonly ref: SpecRef; readonly format: Printed } {
  const hasFormat = words.length > 2 && words.at(-2) === 'format';
  const ref = parseSpecWords(hasFormat ? words.slice(0, -2) : words);
  const word = hasFormat ? words.at(-1) : format;
  const known = DUMP_FORMATS.find((one) => one === (word ?? 'raw'));
  if (known === undefined) {
    throw usageError(`unknown format ${JSON.stringify(word)}`, `the formats are ${DUMP_FORMATS.join(', ')}`);
  }
  if (output === 'table' || output === 'wide') return { ref, format: known };
  if (word !== undefined && word !== output) {
    throw usageError(`-o ${output} contradicts the format ${word}: use only one of them`);
  }
  return { ref, format: output };
}
