import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  SpecRequestSchema,
  SpecResponseSchema,
  type SpecHeader,
  type SpecResponse,
  type Type,
} from '@btfd/api';
import { Encoded } from '../grpc/rpc.js';
import { spec } from '../rpc/spec.js';
import { callBy, LOADER } from './callers.js';
import { collect } from './collect.js';
import type { ServicesForTest } from './services.js';

/** SpecRequest is a request of Spec. */
export type SpecRequest = Omit<MessageInitShape<typeof SpecRequestSchema>, '$typeName'>;

/** named requests an object by its name. */
export const named = (value: string): SpecRequest => ({ source: { case: 'name', value } });

/** ofId requests an object by its id. */
export const ofId = (value: number): SpecRequest => ({ source: { case: 'id', value } });

/** startSpec starts a stream of Spec. */
export async function* startSpec(
  services: ServicesForTest,
  request: SpecRequest,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<SpecResponse, void, void> {
  for await (const message of spec(services)(create(SpecRequestSchema, request), callBy(LOADER, signal))) {
    yield message instanceof Encoded
      ? fromBinary(SpecResponseSchema, message.wire)
      : create(SpecResponseSchema, message);
  }
}

/** receiveSpec collects a stream of Spec as a client does. */
export async function receiveSpec(
  services: ServicesForTest,
  request: SpecRequest,
): Promise<{ header: SpecHeader; raw: Buffer; types: Type[]; sizes: number[] }> {
  const [first, ...rest] = await collect(startSpec(services, request));
  if (first?.part.case !== 'header') throw new Error('no header first');
  const raw: Uint8Array[] = [];
  const types: Type[] = [];
  for (const { part } of rest) {
    if (part.case === 'raw') raw.push(part.value);
    else if (part.case === 'types') types.push(...part.value.types);
    else throw new Error(`another ${part.case}`);
  }
  const sizes = rest.map((message) => toBinary(SpecResponseSchema, message).length);
  return { header: first.part.value, raw: Buffer.concat(raw), types, sizes };
}

/** sha256 returns a digest as the header of a spec has it. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice().buffer));
}
