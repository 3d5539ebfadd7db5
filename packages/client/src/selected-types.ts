import { create } from '@bufbuild/protobuf';
import { Encoding, SpecRequestSchema } from '@btfd/api';
import { Spec } from '@btfd/btf';
import type { Connection } from './connection.js';
import { invalidResponse } from './invalid-response.js';
import { methods } from './methods.js';
import { type NotFound, notFoundOf, type Selection, selectionMessage } from './selection.js';
import { TRANSFER_TIMEOUT_MS, type SpecSource } from './spec-store.js';
import { joinBytes } from './raw-btf.js';

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
  signal: AbortSignal | undefined,
): Promise<SelectedTypes> {
  const request = create(SpecRequestSchema, {
    source,
    encoding: Encoding.RAW,
    selection: selectionMessage(selection) ?? {},
  });
  const chunks: Uint8Array[] = [];
  let notFound: NotFound | null = null;
  for await (const { part } of connection.stream(methods.spec, request, {
    timeout: TRANSFER_TIMEOUT_MS,
    signal,
  })) {
    if (part.case === 'header') notFound = notFoundOf(part.value.selection);
    if (part.case === 'raw') chunks.push(part.value);
  }
  if (notFound === null) throw invalidResponse('header');
  return { spec: Spec.parse(joinBytes(chunks)), notFound };
}
