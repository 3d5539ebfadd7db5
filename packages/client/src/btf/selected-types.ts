import { create } from '@bufbuild/protobuf';
import { Encoding, SpecRequestSchema } from '@btfd/api';
import { Spec } from '@btfd/btf';
import type { Connection } from '../call/connection.js';
import { invalidResponse } from '../error/invalid-response.js';
import { methods } from '../call/methods.js';
import { type NotFound, notFoundOf, type Selection, selectionMessage } from './selection.js';
import { TRANSFER_TIMEOUT_MS, type SpecSource } from './spec-store.js';
import { joinBytes } from './raw-btf.js';
import type { TransferOptions } from './transfer-progress.js';

/** SelectedTypes are types of an object with all that they refer to, as a Spec of their own with ids of its own. */
export interface SelectedTypes {
  readonly spec: Spec;
  /** What was asked for and is not there. */
  readonly notFound: NotFound;
}

/** fetchSelectedTypes gets a selection of an object's types. */
export async function fetchSelectedTypes(
  connection: Connection,
  source: SpecSource,
  selection: Selection,
  { signal, onProgress }: TransferOptions,
): Promise<SelectedTypes> {
  const request = create(SpecRequestSchema, {
    source,
    encoding: Encoding.RAW,
    selection: selectionMessage(selection) ?? {},
  });
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
        total = part.value.selection?.rawSize ?? null;
      }
      if (part.case === 'raw') {
        chunks.push(part.value);
        received += part.value.length;
      }
      onProgress?.({ name, received, total });
    }
    if (notFound === null) throw invalidResponse('header');
    return { spec: Spec.parse(joinBytes(chunks)), notFound };
  });
}
