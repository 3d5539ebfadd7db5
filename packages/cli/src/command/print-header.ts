import type { COptions } from '../grammar/options.js';
import { withoutControls } from '../output/safe-names.js';
import type { Session } from '../session/session.js';
import type { CForm, Source } from '../source/source.js';

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
