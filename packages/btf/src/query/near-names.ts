/** Names compared, and their length: more or longer ones only come from BTF that is not worth the time. */
const MAX_NAMES = 4096;
const MAX_LENGTH = 64;

/** Most names to suggest. */
const SUGGESTED = 3;

/**
 * nearNames returns the known names that a misspelt name may have been meant to be: three at most, nearest first. It
 * compares by Levenshtein distance, and only the first 4,096 names, of at most 64 characters.
 *
 * @param most how many characters may differ; never more than a third of the name.
 */
export function nearNames(name: string, names: Iterable<string>, most = MAX_LENGTH): string[] {
  if (name.length > MAX_LENGTH) return [];
  const limit = Math.min(most, Math.ceil(name.length / 3));
  const near: { readonly name: string; readonly distance: number }[] = [];
  let compared = 0;
  for (const other of names) {
    compared += 1;
    if (compared > MAX_NAMES) break;
    if (other.length > MAX_LENGTH || Math.abs(other.length - name.length) > limit) continue;
    const distance = editDistance(name, other);
    if (distance <= limit) near.push({ name: other, distance });
  }
  return near
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, SUGGESTED)
    .map((found) => found.name);
}

/** How many characters must be inserted, removed or replaced to make one text the other (Levenshtein). */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const row = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replaced = (above[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      row.push(Math.min(replaced, (above[j + 1] ?? 0) + 1, (row[j] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
