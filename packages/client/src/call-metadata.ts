import { Metadata } from '@grpc/grpc-js';
import { invalidArgument } from './argument.js';

/** CallMetadata is what a client sends with every call besides, by key; such as `traceparent`. */
export type CallMetadata = Readonly<Record<string, string>>;

/** callMetadata makes the metadata of one call. @throws BtfError INVALID_REQUEST for keys or values that HTTP/2 refuses. */
export function callMetadata(source: CallMetadata | (() => CallMetadata)): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(typeof source === 'function' ? source() : source)) {
    try {
      metadata.set(key, value);
    } catch (error) {
      throw invalidArgument(`metadata.${key}`, `must be valid: ${String(error)}`);
    }
  }
  return metadata;
}
