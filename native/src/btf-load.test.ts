import { describe, expect, test } from '@jest/globals';

import { verifierLog } from './btf-load.js';

const TEXT = new Uint8Array(127);

describe('A log', () => {
  test.each([
    ['is null if no logged load ran', null, 0, null],
    ['is null if the kernel wrote nothing', new Uint8Array(), 0, null],
    ['is complete if it just fits', TEXT, 128, { text: TEXT, truncated: false, trueSize: 128 }],
    ['is truncated if it needs more', TEXT, 129, { text: TEXT, truncated: true, trueSize: 129 }],
    [
      'is truncated if an older kernel filled the buffer',
      TEXT,
      0,
      { text: TEXT, truncated: true, trueSize: null },
    ],
    [
      'is complete if an older kernel left room',
      TEXT.subarray(1),
      0,
      { text: TEXT.subarray(1), truncated: false, trueSize: null },
    ],
  ])('%s', (_, text, trueSize, log) => {
    expect(verifierLog(text, trueSize, 128)).toEqual(log);
  });
});
