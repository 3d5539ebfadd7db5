import type { HeaderOptions } from '../grammar/header.js';
import type { COptions } from '../grammar/options.js';
import { dumpText } from '../output/dump-text.js';
import { withoutControls } from '../output/safe-names.js';
import type { Session } from '../session/session.js';
import { chosenIds } from '../source/chosen-types.js';
import { checkNames } from '../source/glob.js';
import { mergedSpec } from '../source/merged-spec.js';
import type { CForm, Source } from '../source/source.js';
import { parseSpecWords } from '../source/spec-ref.js';

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

/** cFormOf returns the form of C that options choose. */
export function cFormOf({ unsorted = false, kfuncs, assert = false }: COptions): CForm {
  return { sorted: !unsorted, kfuncs, assertions: assert };
}

/** printHeader prints all types of sources as C if a daemon does the work. Otherwise it prints nothing, and returns false. */
export async function printHeader(
  session: Session,
  sources: readonly Source[],
  form: CForm,
): Promise<boolean> {
  const [only, ...others] = sources;
  const text = others.length === 0 ? ((await only?.printedC?.(form)) ?? null) : null;
  if (text === null) return false;
  await session.print([withoutControls(text)]);
  return true;
}
