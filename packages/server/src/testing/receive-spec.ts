import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  SpecRequestSchema,
  SpecResponseSchema,
  type SpecHeader,
  type SpecResponse,
  type Type,
} from '@btfd/api';
import { Encoded, type RpcCall } from '../grpc/rpc.js';
import { spec } from '../rpc/spec.js';
import { callBy, LOADER } from './callers.js';
import { collect } from './collect.js';
import type { ServicesForTest } from './services.js';

/** SpecRequestInit is a request of a spec. */
export type SpecRequestInit = Omit<MessageInitShape<typeof SpecRequestSchema>, '$typeName'>;

/** startSpec starts a stream of a spec. */
export async function* startSpec(
  services: ServicesForTest,
  request: SpecRequestInit,
  signal?: RpcCall['signal'],
): AsyncGenerator<SpecResponse, void, void> {
  for await (const message of spec(services)(create(SpecRequestSchema, request), callBy(LOADER, signal))) {
    yield message instanceof Encoded
      ? fromBinary(SpecResponseSchema, message.wire)
      : create(SpecResponseSchema, message);
  }
}

/** receiveSpec collects a stream as a client does. */
export async function receiveSpec(
  services: ServicesForTest,
  request: SpecRequestInit,
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

/** sha256 returns the digest of bytes, as a header has it. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice().buffer));
}

/** named requests the spec of an object by name. */
export const named = (value: string): SpecRequestInit => ({ source: { case: 'name', value } });
/** ofId requests the spec of an object by id. */
export const ofId = (value: number): SpecRequestInit => ({ source: { case: 'id', value } });
/** ofHandle requests the spec of the object of a handle. */
export const ofHandle = (value: string): SpecRequestInit => ({ source: { case: 'handle', value } });
