import { describe, expect, test } from '@jest/globals';

import { verifierLog } from './verifier-log.js';

const TEXT = new Uint8Array(127);

describe('A verifier log', () => {
  test.each([
    ['is null where no logged load ran', null, 0, null],
    ['is null where the kernel wrote nothing', new Uint8Array(), 0, null],
    ['is whole where it just fits', TEXT, 128, { text: TEXT, truncated: false, trueSize: 128 }],
    ['is truncated where it needs more', TEXT, 129, { text: TEXT, truncated: true, trueSize: 129 }],
    [
      'counts as truncated where an older kernel filled the buffer',
      TEXT,
      0,
      { text: TEXT, truncated: true, trueSize: null },
    ],
    [
      'counts as whole where an older kernel left room',
      TEXT.subarray(1),
      0,
      { text: TEXT.subarray(1), truncated: false, trueSize: null },
    ],
  ])('%s', (_, text, trueSize, log) => {
    expect(verifierLog(text, trueSize, 128)).toEqual(log);
  });
});
