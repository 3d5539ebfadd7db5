import leven from 'leven';

/** More changes than this make another word, not a slip. */
const MAX_DISTANCE = 3;

/** didYouMean ends a sentence about an unknown name with the known one that is nearest, if one is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const near = known
    .map((each) => ({ each, distance: leven(name, each, { maxDistance: MAX_DISTANCE + 1 }) }))
    .filter(({ distance }) => distance <= MAX_DISTANCE)
    .toSorted((a, b) => a.distance - b.distance)[0];
  return near === undefined ? '' : `; did you mean ${near.each}?`;
}
