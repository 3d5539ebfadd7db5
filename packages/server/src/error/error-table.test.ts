import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { ErrorReasonSchema } from '@btfd/api';
import { BpfError } from '@btfd/native';
import { status } from '@grpc/grpc-js';
import { ERRNO_REASONS, ERROR_CODES } from './error-table.js';

const PROTO = readFileSync(new URL('../../../../proto/btf/v1/errors.proto', import.meta.url), 'utf8');

/** The code that the comment of each reason starts with: `// NOT_FOUND. The object …`. */
function documentedCodes(): Map<string, string> {
  const values = PROTO.matchAll(/^ {2}\/\/ ([A-Z_]+)[.] .*\n(?: {2}\/\/.*\n)* {2}ERROR_REASON_(\w+) = /gm);
  return new Map([...values].map(([, code = '', reason = '']) => [reason, code]));
}

describe('The gRPC code of a reason', () => {
  const codes = new Map<string, number>(Object.entries(ERROR_CODES));
  const reasons = ErrorReasonSchema.values.filter(({ localName }) => localName !== 'UNSPECIFIED');

  test('is documented for each', () => {
    expect([...documentedCodes().keys()]).toEqual(reasons.map(({ localName }) => localName));
  });

  test.each(reasons.map(({ localName, number }) => ({ localName, number })))(
    'is the one in the contract: $localName',
    ({ localName, number }) => {
      expect(status[codes.get(String(number)) ?? -1]).toBe(documentedCodes().get(localName));
    },
  );

  test('is never OK', () => {
    expect(Object.values(ERROR_CODES)).not.toContain(status.OK);
  });
});

test('Each errno of the table is spelled as in errors of the addon', () => {
  const numbers = [...new Set([...Object.values(constants.errno), 524])];
  const names = new Set(numbers.map((errno) => new BpfError('dup', errno, null, null).code));
  expect(Object.keys(ERRNO_REASONS).filter((name) => !names.has(name))).toEqual([]);
});
