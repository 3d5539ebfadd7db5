import type { HeaderOptions } from '../grammar/header.js';
import { dumpText } from '../output/dump-text.js';
import type { Session } from '../session/session.js';
import { chosenIds } from '../source/chosen-types.js';
import { checkNames } from '../source/glob.js';
import { parseSpecRef } from '../source/spec-ref.js';

/** header runs `btfctl header`. */
export async function header(
  session: Session,
  text: string,
  { type = [], base }: HeaderOptions,
): Promise<void> {
  checkNames(type);
  const source = await session.source(parseSpecRef(text), base);
  const spec = await source.spec();
  const ids = type.length === 0 ? null : chosenIds(spec, type, false, source.label);
  await session.print(dumpText(spec, 'c', ids));
}
