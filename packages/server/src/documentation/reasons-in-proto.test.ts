import { describe, expect, test } from '@jest/globals';
import { reasonsInProto } from './reasons-in-proto.js';

const proto = (comment: string): string => `enum ErrorReason {
  // Not set.
  ERROR_REASON_UNSPECIFIED = 0;
${comment.replaceAll(/^/gm, '  // ')}
  ERROR_REASON_SOME = 1;
}
`;

describe('What errors.proto says of a reason', () => {
  test('is read from its comment, across lines', () => {
    const comment =
      'NOT_FOUND. It is\ngone. Comes with a google.rpc.RetryInfo. Metadata: id,\nname. Next: wait; then ask.';
    expect(reasonsInProto(proto(comment))).toEqual([
      {
        reason: 'SOME',
        code: 'NOT_FOUND',
        when: 'It is gone. Comes with a google.rpc.RetryInfo.',
        metadata: 'id, name',
        next: 'wait; then ask.',
        details: ['RetryInfo'],
      },
    ]);
  });

  test('may have no metadata', () => {
    expect(reasonsInProto(proto('INTERNAL. Anything. Next: read.'))).toMatchObject([
      { when: 'Anything.', metadata: '', details: [] },
    ]);
  });

  test('has to tell the code and what is next', () => {
    expect(() => reasonsInProto(proto('INTERNAL. Anything else.'))).toThrow('SOME');
  });
});
