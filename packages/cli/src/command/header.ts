import type { HeaderOptions } from '../grammar/header.js';
import { dumpText } from '../output/dump-text.js';
import type { Session } from '../session/session.js';
import { chosenIds } from '../source/chosen-types.js';
import { checkNames } from '../source/glob.js';
import { mergedSpec } from '../source/merged-spec.js';
import { parseSpecWords } from '../source/spec-ref.js';
import { cFormOf, printHeader } from './print-header.js';

/** header runs `btfctl header`. */
export async function header(
  session: Session,
  texts: readonly string[],
  { type = [], base, ...options }: HeaderOptions,
): Promise<void> {
  checkNames(type);
  const refs = parseSpecWords(texts.length === 0 ? ['vmlinux'] : texts);
  const sources = await session.sources(refs, base);
  const form = cFormOf(options);
  if (type.length === 0 && (await printHeader(session, sources, form))) return;
  const { spec, label } = await mergedSpec(sources);
  const ids = type.length === 0 ? null : chosenIds(spec, type, false, label);
  await session.print(dumpText(spec, 'c', ids, form));
}
