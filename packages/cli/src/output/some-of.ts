import { grouped } from './numbers.js';

/** someOf lists texts, of many only the first: `a, b and 2 more`. */
export function someOf(texts: readonly string[], most: number, separator = ', '): string {
  return withRest(texts.slice(0, most), texts.length - most, separator);
}

/**
 * withRest lists texts, and counts those that are left out.
 *
 * @param left the number of texts that are left out, which may be 0
 */
export function withRest(shown: readonly string[], left: number, separator = ', '): string {
  return `${shown.join(separator)}${left > 0 ? ` and ${grouped(left)} more` : ''}`;
}
