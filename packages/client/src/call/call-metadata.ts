import { Metadata } from '@grpc/grpc-js';
import { aString, fieldsOf, invalidArgument, type Rule } from '../error/argument.js';

/** CallMetadata is what a client sends with every call besides, by key; such as `traceparent`. */
export type CallMetadata = Readonly<Record<string, string>>;

/** someMetadata is the rule of the option. */
export const someMetadata: Rule = (field, value) => {
  if (typeof value !== 'function') theValues(field, value);
};

/** callMetadata makes the metadata of one call. @throws BtfError INVALID_REQUEST for keys or values that HTTP/2 refuses. */
export function callMetadata(source: CallMetadata | (() => CallMetadata)): Metadata {
  const metadata = new Metadata();
  const given = typeof source === 'function' ? source() : source;
  theValues('metadata', given);
  for (const [key, value] of Object.entries(given)) {
    try {
      metadata.set(key, value);
    } catch {
      // What grpc-js says has the value in it, which may be a secret.
      throw invalidArgument(
        `metadata.${key}`,
        'must be a key of HTTP/2 that does not end in -bin, with printable ASCII',
      );
    }
  }
  return metadata;
}

/** What a function answers is only checked by the compiler where there is one. */
const theValues: Rule = (field, value) => {
  for (const [key, text] of fieldsOf(field, value)) aString(`${field}.${key}`, text);
};
