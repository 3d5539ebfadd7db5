import { nearNames } from '@btfd/btf';

/** More changes than this make another word, not a misspelt one. */
const MAX_CHANGES = 3;
/** No more names than this are listed in a message. */
const MAX_LISTED = 5;

/**
 * unknownName returns a message about an unknown name, such as `unknown key "max-tll"; did you mean max-ttl?`. If no
 * known name is near and there are only a few, it lists them.
 */
export function unknownName(noun: string, name: string, known: readonly string[]): string {
  const [near] = nearNames(name, known, MAX_CHANGES);
  const unknown = `unknown ${noun} ${JSON.stringify(name)}`;
  if (near !== undefined) return `${unknown}; did you mean ${near}?`;
  return known.length > MAX_LISTED ? unknown : `${unknown}: use ${known.join(', ')}`;
}
