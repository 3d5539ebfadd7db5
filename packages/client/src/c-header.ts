import { create } from '@bufbuild/protobuf';
import { Encoding, SpecRequestSchema } from '@btfd/api';
import type { Connection } from './connection.js';
import { invalidResponse } from './invalid-response.js';
import { methods } from './methods.js';
import { joinBytes } from './raw-btf.js';
import { allFound, type NotFound, notFoundOf, type Selection, selectionMessage } from './selection.js';
import { TRANSFER_TIMEOUT_MS, type SpecSource } from './spec-store.js';

/** fetchCHeader gets an object's types, or some with all that they need, as a C header. */
export async function fetchCHeader(
  connection: Connection,
  source: SpecSource,
  selection: Selection,
  signal: AbortSignal | undefined,
): Promise<string> {
  const types = selectionMessage(selection);
  const request = create(SpecRequestSchema, {
    source,
    encoding: Encoding.C,
    ...(types === undefined ? {} : { selection: types }),
  });
  const chunks: Uint8Array[] = [];
  let notFound: NotFound | null = null;
  for await (const { part } of connection.stream(methods.spec, request, {
    timeout: TRANSFER_TIMEOUT_MS,
    signal,
  })) {
    if (part.case === 'header') notFound = notFoundOf(part.value.selection);
    if (part.case === 'c') chunks.push(part.value);
  }
  if (notFound === null) throw invalidResponse('header');
  return allFound(new TextDecoder().decode(joinBytes(chunks)), notFound);
}
