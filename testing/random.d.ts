/** Random returns a random integer below a bound. */
export type Random = (bound: number) => number;

/** seeded returns a source of random integers. The same seed gives the same sequence. */
export function seeded(seed: number): Random;
