/** allSteps does all steps of work at once: what it returns, and how often others could have had a turn. */
export function allSteps<T>(work: Iterator<null, T, void>): { readonly value: T; readonly turns: number } {
  for (let turns = 0; ; turns++) {
    const step = work.next();
    if (step.done === true) return { value: step.value, turns };
  }
}
