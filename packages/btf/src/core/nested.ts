/**
 * Nested is a comparison of two types. It yields the comparisons that it needs first, and is given their results. So it can
 * nest as deeply as a file describes, where calls would overflow the stack.
 */
export type Nested = Generator<Nested, boolean, boolean>;

/** runNested runs a comparison, and returns its result. */
export function runNested(first: Nested): boolean {
  const running = [first];
  let result = false;
  for (let current = running.at(-1); current !== undefined; current = running.at(-1)) {
    const { done, value } = current.next(result);
    if (done === true) {
      result = value;
      running.pop();
    } else {
      running.push(value);
    }
  }
  return result;
}
