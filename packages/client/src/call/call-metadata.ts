import { Metadata } from '@grpc/grpc-js';
import { aString, fieldsOf, invalidArgument, type Rule } from '../error/argument.js';

/** CallMetadata is the metadata that a client adds to every call, by key; for example `traceparent`. */
export type CallMetadata = Readonly<Record<string, string>>;

/** someMetadata is the rule of the option `metadata`. */
export const someMetadata: Rule = (field, value) => {
  if (typeof value !== 'function') stringValues(field, value);
};

/**
 * callMetadata returns the metadata of one call.
 *
 * @throws BtfError INVALID_REQUEST for a key or value that HTTP/2 does not allow. The message never contains a value.
 */
export function callMetadata(source: CallMetadata | (() => CallMetadata)): Metadata {
  const metadata = new Metadata();
  // The type of a function's result is checked too: the program may be JavaScript.
  const entries = typeof source === 'function' ? source() : source;
  stringValues('metadata', entries);
  for (const [key, value] of Object.entries(entries)) {
    try {
      metadata.set(key, value);
    } catch {
      // The message of grpc-js contains the value, which may be a secret.
      throw invalidArgument(
        `metadata.${key}`,
        'must be a key of HTTP/2 that does not end in -bin, with printable ASCII',
      );
    }
  }
  return metadata;
}

const stringValues: Rule = (field, value) => {
  for (const [key, text] of fieldsOf(field, value)) aString(`${field}.${key}`, text);
};
