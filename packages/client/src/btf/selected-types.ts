import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Encoding, SpecRequestSchema } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { type Connection, methods } from '../call/connection.js';
import { invalidResponse } from '../error/btf-error.js';
import { joinBytes } from './raw-btf.js';
import { allFound, type NotFound, notFoundOf, type Selection, selectionMessage } from './selection.js';
import { TRANSFER_TIMEOUT_MS, type SpecSource } from './spec-store.js';
import type { TransferOptions } from './transfer-progress.js';

/** SelectedTypes are types of an object with every type that they refer to. */
export interface SelectedTypes {
  /** The types, as a Spec of their own. Their ids differ from those in the object. */
  readonly spec: Spec;
  /** The parts of the selection that selected no type. */
  readonly notFound: NotFound;
}

/** fetchSelectedTypes returns a selection of an object's types. */
export async function fetchSelectedTypes(
  connection: Connection,
  source: SpecSource,
  selection: Selection,
  options: TransferOptions,
): Promise<SelectedTypes> {
  const request = { source, encoding: Encoding.RAW, selection: selectionMessage(selection) ?? {} };
  const { bytes, notFound } = await fetchSelection(connection, request, options);
  return { spec: Spec.parse(bytes), notFound };
}

/** fetchCHeader returns an object's types, or the selected ones with all that they need, as a C header. */
export async function fetchCHeader(
  connection: Connection,
  source: SpecSource,
  selection: Selection,
  options: TransferOptions,
): Promise<string> {
  const types = selectionMessage(selection);
  const request = { source, encoding: Encoding.C, ...(types === undefined ? {} : { selection: types }) };
  const { bytes, notFound } = await fetchSelection(connection, request, options);
  return allFound(new TextDecoder().decode(bytes), notFound);
}

async function fetchSelection(
  connection: Connection,
  init: MessageInitShape<typeof SpecRequestSchema>,
  { signal, onProgress }: TransferOptions,
): Promise<{ readonly bytes: Uint8Array; readonly notFound: NotFound }> {
  const request = create(SpecRequestSchema, init);
  return connection.retrying(methods.spec, { timeout: TRANSFER_TIMEOUT_MS, signal }, async (limits) => {
    const chunks: Uint8Array[] = [];
    let notFound: NotFound | null = null;
    let name = '';
    let total: number | null = null;
    let received = 0;
    for await (const { part } of connection.stream(methods.spec, request, limits)) {
      if (part.case === 'header') {
        notFound = notFoundOf(part.value.selection);
        name = part.value.info?.name ?? '';
        if (request.encoding === Encoding.RAW) total = part.value.selection?.rawSize ?? null;
      } else if (part.case === 'raw' || part.case === 'c') {
        chunks.push(part.value);
        received += part.value.length;
      }
      onProgress?.({ name, received, total });
    }
    if (notFound === null) throw invalidResponse('header');
    return { bytes: joinBytes(chunks), notFound };
  });
}
