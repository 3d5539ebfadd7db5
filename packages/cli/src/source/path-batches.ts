/** As many paths as a daemon takes at once. */
const MAX_PATHS = 1000;

/** Half of the smallest message that every daemon takes by default. */
const MAX_BYTES = 32 * 1024;

/** What a path takes in a message besides its text: its field's number and its length. */
const BYTES_BESIDES = 6;

/** pathBatches are paths in the order given, in as many parts as it takes for a daemon to take each. */
export function* pathBatches(paths: readonly string[]): Generator<string[], void, undefined> {
  let batch: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    const size = Buffer.byteLength(path) + BYTES_BESIDES;
    if (batch.length === MAX_PATHS || (batch.length > 0 && bytes + size > MAX_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(path);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
