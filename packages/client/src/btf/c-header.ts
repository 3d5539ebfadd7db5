import { create } from '@bufbuild/protobuf';
import { Encoding, SpecRequestSchema } from '@btfd/api';
import type { Connection } from '../call/connection.js';
import { invalidResponse } from '../error/invalid-response.js';
import { methods } from '../call/methods.js';
import { joinBytes } from './raw-btf.js';
import { allFound, type NotFound, notFoundOf, type Selection, selectionMessage } from './selection.js';
import { TRANSFER_TIMEOUT_MS, type SpecSource } from './spec-store.js';
import type { TransferOptions } from './transfer-progress.js';

/** fetchCHeader gets an object's types, or some with all that they need, as a C header. */
export async function fetchCHeader(
  connection: Connection,
  source: SpecSource,
  selection: Selection,
  { signal, onProgress }: TransferOptions,
): Promise<string> {
  const types = selectionMessage(selection);
  const request = create(SpecRequestSchema, {
    source,
    encoding: Encoding.C,
    ...(types === undefined ? {} : { selection: types }),
  });
  return connection.retrying(methods.spec, { timeout: TRANSFER_TIMEOUT_MS, signal }, async (limits) => {
    const chunks: Uint8Array[] = [];
    let notFound: NotFound | null = null;
    let name = '';
    let received = 0;
    for await (const { part } of connection.stream(methods.spec, request, limits)) {
      if (part.case === 'header') {
        notFound = notFoundOf(part.value.selection);
        name = part.value.info?.name ?? '';
      }
      if (part.case === 'c') {
        chunks.push(part.value);
        received += part.value.length;
      }
      onProgress?.({ name, received, total: null });
    }
    if (notFound === null) throw invalidResponse('header');
    return allFound(new TextDecoder().decode(joinBytes(chunks)), notFound);
  });
}
