import { compressionOf } from './compression.js';
import { readFile } from './read-file.js';
import { STANDARD_INPUT } from './spec-ref.js';

/**
 * readContent reads a file, a pipe or a device. If the file is compressed, it returns the content.
 *
 * @param interrupted ends the wait for a pipe without a writer.
 * @param checkHead gets the first bytes of the content, and throws to leave the rest unread.
 * @throws CliError NOT_FOUND if there is no such file; FAILURE if it cannot be read. The errors of `checkHead`. The reason of
 * `interrupted`.
 */
export async function readContent(
  path: string,
  interrupted: AbortSignal,
  checkHead: (head: Uint8Array) => void,
): Promise<Uint8Array> {
  const file = await readFile(path, interrupted, (head) => {
    if (compressionOf(head) === null) checkHead(head);
  });
  const compression = compressionOf(file);
  if (compression === null) return file;
  // Loaded only here: it takes milliseconds to load the code that starts programs.
  const { decompress } = await import('./decompress.js');
  return decompress(nameOf(path), file, compression, { interrupted, checkHead });
}

/** nameOf returns the name of a file in messages. */
export function nameOf(path: string): string {
  return path === STANDARD_INPUT ? 'standard input' : path;
}
