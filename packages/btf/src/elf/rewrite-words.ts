import { BtfFormatError } from '../format-error.js';
import type { ByteOrder } from '../header.js';
import { isKnownKind, visitIds, visitNames, wordCount } from '../kind-words.js';
import { HOST_ORDER, hostWords, kindOfInfo, swapWords } from '../words.js';

/**
 * WordMaps returns the replacement of a name's offset or a type id; `place` is the offset of that word in the section.
 */
export interface WordMaps {
  name(offset: number, place: number): number;
  typeId(id: number, place: number): number;
}

/**
 * rewriteWords replaces names and type ids in a type section. The section must have been indexed, so that all types are
 * whole.
 *
 * @returns a copy.
 * @throws BtfFormatError `UNSUPPORTED` for a type of an unknown kind, whose references are not known.
 */
export function rewriteWords(types: Uint8Array, order: ByteOrder, maps: WordMaps): Uint8Array {
  const words = hostWords(types.slice(), order);
  for (let at = 0; at < words.length; at += wordCount(words[at + 1] ?? 0)) {
    const kind = kindOfInfo(words[at + 1] ?? 0);
    if (!isKnownKind(kind)) {
      throw new BtfFormatError('UNSUPPORTED', `type of unknown kind ${kind} cannot be relocated`, {
        offset: at * 4,
      });
    }
    visitNames(words, at, (i) => {
      words[i] = maps.name((words[i] ?? 0) >>> 0, i * 4);
    });
    visitIds(words, at, (i) => {
      words[i] = maps.typeId((words[i] ?? 0) >>> 0, i * 4);
    });
  }
  if (order !== HOST_ORDER) swapWords(words);
  return new Uint8Array(words.buffer);
}
