import type { NoteKind as NoteKindNumber, SpecNote as SpecNoteMessage } from '@btfd/api';
import { type BtfNote, type BtfNoteKind, Spec } from '@btfd/btf';
import { ENCODINGS, NOTE_KINDS } from '../base/enum-numbers.js';
import type { Connection } from '../call/connection.js';
import type { RequestOf } from '../call/methods.js';
import { aBoolean, aFunction, type Rules } from '../error/argument.js';
import { clientError, invalidResponse } from '../error/btf-error.js';
import { joinBytes } from './raw-btf.js';
import { allFound, type NotFound, notFoundOf, type Selection, selectionMessage } from './selection.js';
import { MAX_RAW_BYTES, type SpecSource, TRANSFER_TIMEOUT_MS } from './spec-store.js';
import { TRANSFER_RULES, type TransferOptions } from './transfer-progress.js';

/** SpecNote is a `BtfNote` of `@btfd/btf` that the daemon returned: a part of an object's BTF that it does not know. */
export interface SpecNote extends Omit<BtfNote, 'kind'> {
  /** The subject of the note. `unknown` if a newer daemon reports something else. */
  readonly kind: BtfNoteKind | 'unknown';
}

const KINDS: Readonly<Record<number, SpecNote['kind']>> = {
  0: 'unknown',
  [NOTE_KINDS.UNKNOWN_FLAGS]: 'UNKNOWN_FLAGS',
  [NOTE_KINDS.UNKNOWN_HEADER_FIELDS]: 'UNKNOWN_HEADER_FIELDS',
  [NOTE_KINDS.UNKNOWN_BYTES]: 'UNKNOWN_BYTES',
  [NOTE_KINDS.UNKNOWN_KINDS]: 'UNKNOWN_KINDS',
} satisfies Record<NoteKindNumber, SpecNote['kind']>;

/** specNoteFromMessage returns the note in the message of the same name. */
function specNoteFromMessage({ kind, offset, length, message }: SpecNoteMessage): SpecNote {
  return { kind: KINDS[kind] ?? 'unknown', offset, length, message };
}

/** SelectedTypes are types of an object with every type that they refer to. */
export interface SelectedTypes {
  /** The types, as a Spec of their own. Their ids differ from those in the object. */
  readonly spec: Spec;
  /** The parts of the selection that selected no type. */
  readonly notFound: NotFound;
  /** The parts of the object's BTF that the daemon does not know. The types were selected from the rest. */
  readonly notes: readonly SpecNote[];
}

/** fetchSelectedTypes returns a selection of an object's types. */
export async function fetchSelectedTypes(
  connection: Connection,
  source: SpecSource,
  selection: Selection,
  options: TransferOptions,
): Promise<SelectedTypes> {
  const request = { source, encoding: ENCODINGS.RAW, selection: selectionMessage(selection) ?? {} };
  const { bytes, notFound, notes } = await fetchSelection(connection, request, options);
  return { spec: Spec.parse(bytes), notFound, notes };
}

/** CHeaderOptions are the options of `cHeader`. */
export interface CHeaderOptions extends TransferOptions {
  /**
   * Whether all types are sorted as bpftool 7.8 sorts them, so that the headers of two similar kernels have few
   * differences. Otherwise, and in a selection, they are in the order of their ids. Default: true.
   */
  readonly sorted?: boolean;
  /** Whether to declare kfuncs, the functions of the kernel that BPF programs may call. Default: true. */
  readonly kfuncs?: boolean;
  /** Whether to assert the size and the offsets of each type with `_Static_assert`. Default: false. */
  readonly assertions?: boolean;
  /** Is called for each part of the object's BTF that the daemon does not know. The header is of the rest. Default: nothing. */
  readonly onNote?: ((note: SpecNote) => void) | undefined;
}

/** C_HEADER_RULES are the rules of {@link CHeaderOptions}. */
export const C_HEADER_RULES: Rules<CHeaderOptions> = {
  ...TRANSFER_RULES,
  sorted: aBoolean,
  kfuncs: aBoolean,
  assertions: aBoolean,
  onNote: aFunction,
};

/** fetchCHeader returns an object's types, or the selected ones with all that they need, as a C header. */
export async function fetchCHeader(
  connection: Connection,
  source: SpecSource,
  selection: Selection,
  options: CHeaderOptions,
): Promise<string> {
  const types = selectionMessage(selection);
  const { sorted = true, kfuncs = true, assertions = false, onNote = () => {} } = options;
  // A daemon that does not know this field ignores it.
  const cFormat = { unsorted: !sorted, withoutKfuncs: !kfuncs, assertions };
  const request = {
    source,
    encoding: ENCODINGS.C,
    cFormat,
    ...(types === undefined ? {} : { selection: types }),
  };
  const { bytes, notFound, notes } = await fetchSelection(connection, request, options);
  notes.forEach((note) => onNote(note));
  return allFound(new TextDecoder().decode(bytes), notFound);
}

const TOO_LARGE = `the daemon sends more than the ${MAX_RAW_BYTES} bytes that are read`;

interface FetchedSelection {
  readonly bytes: Uint8Array;
  readonly notFound: NotFound;
  readonly notes: readonly SpecNote[];
}

async function fetchSelection(
  connection: Connection,
  request: RequestOf<'spec'>,
  { signal, onProgress }: TransferOptions,
): Promise<FetchedSelection> {
  return connection.retrying('spec', { timeout: TRANSFER_TIMEOUT_MS, signal }, async (limits) => {
    const expected = request.encoding === ENCODINGS.C ? 'c' : 'raw';
    const chunks: Uint8Array[] = [];
    let notFound: NotFound | null = null;
    let notes: readonly SpecNote[] = [];
    let name = '';
    let total: number | null = null;
    let received = 0;
    for await (const { part } of connection.stream('spec', request, limits)) {
      if (part.case === 'header') {
        notFound = notFoundOf(part.value.selection);
        notes = part.value.notes.map(specNoteFromMessage);
        name = part.value.info?.name ?? '';
        if (request.encoding === ENCODINGS.RAW) total = part.value.selection?.rawSize ?? null;
      } else if (part.case === expected) {
        chunks.push(part.value);
        received += part.value.length;
        if (received > MAX_RAW_BYTES) throw clientError('INVALID_RESPONSE', TOO_LARGE);
      }
      onProgress?.({ name, received, total });
    }
    if (notFound === null) throw invalidResponse('header');
    if (received === 0) throw invalidResponse(`part of the kind ${expected}`);
    return { bytes: joinBytes(chunks), notFound, notes };
  });
}
