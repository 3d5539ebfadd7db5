import { describe, expect, test } from '@jest/globals';
import { reasonsInProto } from './reasons-in-proto.js';

const proto = (comment: string): string => `enum ErrorReason {
  // Not set.
  ERROR_REASON_UNSPECIFIED = 0;
${comment.replaceAll(/^/gm, '  // ')}
  ERROR_REASON_SOME = 1;
}
`;

describe('The documentation of a reason in errors.proto', () => {
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

  test('must have the code and the next step', () => {
    expect(() => reasonsInProto(proto('INTERNAL. Anything else.'))).toThrow('SOME');
  });
});
