/** seeded returns a source of random integers. The same seed gives the same sequence (xorshift32). */
export function seeded(seed) {
  let state = seed | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
