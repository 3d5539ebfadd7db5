/** collect reads a stream to its end. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** allSteps does all steps of work. It returns the result, and how often other work could have had a turn. */
export function allSteps<T>(work: Iterator<null, T, void>): { readonly value: T; readonly turns: number } {
  for (let turns = 0; ; turns++) {
    const step = work.next();
    if (step.done === true) return { value: step.value, turns };
  }
}
