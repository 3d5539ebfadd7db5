import { BtfFormatError } from './format-error.js';
import type { BtfSection } from './header.js';
import { isKnownKind } from './kind-words.js';
import { kindOfInfo, type Words } from './words.js';

/**
 * BtfNoteKind is the subject of a {@link BtfNote}.
 *
 * - `UNKNOWN_FLAGS`: the header has flags.
 * - `UNKNOWN_HEADER_FIELDS`: the header is longer, and its surplus is not zero.
 * - `UNKNOWN_BYTES`: bytes belong to none of the known sections, such as those of a new section.
 * - `UNKNOWN_KINDS`: types are of kinds that only the layout section describes. They can be read as `Unknown`.
 */
export type BtfNoteKind = 'UNKNOWN_FLAGS' | 'UNKNOWN_HEADER_FIELDS' | 'UNKNOWN_BYTES' | 'UNKNOWN_KINDS';

/**
 * BtfNote describes a part of a BTF that this library does not know, as a later kernel may write. Everything else of the
 * BTF was read.
 */
export interface BtfNote {
  readonly kind: BtfNoteKind;
  /** Bytes from the start of the BTF: where the part starts, for types the first of them. */
  readonly offset: number;
  /** Length of the part in bytes, for types that of all of them. */
  readonly length: number;
  /** The part in words, without its place, which {@link formatNote} adds. */
  readonly message: string;
}

/** formatNote returns a note in words with its place: `bytes belong to no known section (offset 40, 8 bytes)`. */
export function formatNote({ message, offset, length }: Omit<BtfNote, 'kind'>): string {
  return `${message} (offset ${offset}, ${length} ${length === 1 ? 'byte' : 'bytes'})`;
}

/**
 * rejectUnknown throws for the first of some notes, where the unknown part can neither be kept nor left out.
 *
 * @throws BtfFormatError `UNSUPPORTED` with the part and its place.
 */
export function rejectUnknown(notes: readonly BtfNote[], what: string): void {
  const [note] = notes;
  if (note === undefined) return;
  throw new BtfFormatError('UNSUPPORTED', `${what}: ${note.message}`, { offset: note.offset });
}

/** flagsNote returns the note about the flags of a header. */
export function flagsNote(flags: number): BtfNote[] {
  if (flags === 0) return [];
  const message = `unknown flags 0x${flags.toString(16)} in the header`;
  return [{ kind: 'UNKNOWN_FLAGS', offset: 3, length: 1, message }];
}

/**
 * surplusNote returns the note about the words of a header from the byte at `known` on. A surplus of zeros has no note,
 * because kernels ignore it too.
 */
export function surplusNote(bytes: Uint8Array, known: number, headerLength: number): BtfNote[] {
  // Without a callback for each byte: kernels accept 16 MiB of zeros here, and the daemon reads headers on its event loop.
  let first = known;
  while (first < headerLength && bytes[first] === 0) first += 1;
  if (first >= headerLength) return [];
  let last = headerLength - 1;
  while (bytes[last] === 0) last -= 1;
  const start = first - ((first - known) % 4);
  const end = Math.min(last - ((last - known) % 4) + 4, headerLength);
  const message = `unknown fields in the header of ${headerLength} bytes`;
  return [{ kind: 'UNKNOWN_HEADER_FIELDS', offset: start, length: end - start, message }];
}

/** gapNote returns the note about bytes that belong to no known section. */
export function gapNote(offset: number, end: number): BtfNote[] {
  if (offset === end) return [];
  const message = 'bytes belong to no known section';
  return [{ kind: 'UNKNOWN_BYTES', offset, length: end - offset, message }];
}

/** kindsNote returns the note about types of unknown kinds. It is one pass over the info words of all types. */
export function kindsNote(words: Words, offsets: Uint32Array, section: BtfSection): BtfNote[] {
  const counts = new Map<number, number>();
  let first: number | null = null;
  let length = 0;
  for (const [index, at] of offsets.entries()) {
    const kind = kindOfInfo(words.i32(at + 4));
    if (isKnownKind(kind)) continue;
    first ??= at;
    length += (offsets[index + 1] ?? section.length) - at;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  if (first === null) return [];
  const kinds = [...counts].toSorted(([a], [b]) => a - b).map(([kind, count]) => `${count} of kind ${kind}`);
  const message = `types of unknown kinds: ${kinds.join(', ')}`;
  return [{ kind: 'UNKNOWN_KINDS', offset: section.offset + first, length, message }];
}

/** unreadableNote returns the note about the types from one of unknown size on. */
export function unreadableNote(offset: number, section: BtfSection): BtfNote {
  const message = 'types cannot be read from here on: the first is of a kind of unknown size';
  return { kind: 'UNKNOWN_KINDS', offset, length: section.offset + section.length - offset, message };
}
