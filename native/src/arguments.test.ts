import { describe, expect, test } from '@jest/globals';

import {
  btfGetFdById,
  btfGetNextId,
  btfLoad,
  btfLoadSync,
  mapGetInfoById,
  mapGetNextId,
  notify,
  progLoad,
  readFile,
  socketInfo,
  hasUnreceived,
  socketPeer,
  tokenCreate,
} from './index.js';

const BYTES = new Uint8Array(8);

const CASES: readonly (readonly [
  string,
  (...args: never[]) => unknown,
  readonly unknown[],
  string,
  string,
])[] = [
  ['an id below 0', btfGetFdById, [-1], 'RangeError', 'id must be an integer from 0 to 4294967295, not -1'],
  ['an id over 32 bits', btfGetFdById, [2 ** 32], 'RangeError', 'id must be an integer'],
  ['an id that is not whole', btfGetFdById, [1.5], 'RangeError', 'id must be an integer'],
  ['an id that is not a number', btfGetFdById, ['1'], 'TypeError', 'id must be a number, not string'],
  ['an id after NaN', btfGetNextId, [Number.NaN], 'RangeError', 'after must be an integer'],
  ['an id of a map that is not whole', mapGetInfoById, [0.5], 'RangeError', 'id must be an integer'],
  ['an id after one over 32 bits', mapGetNextId, [2 ** 32], 'RangeError', 'after must be an integer'],
  ['a file descriptor below 0', socketPeer, [-1], 'RangeError', 'fd must be an integer from 0'],
  ['a socket below 0', hasUnreceived, [-1], 'RangeError', 'fd must be an integer from 0'],
  ['bytes that are an array', btfLoad, [[1], 0], 'TypeError', 'bytes must be a Uint8Array'],
  ['bytes in words', btfLoad, [new Uint16Array(8), 0], 'TypeError', 'bytes must be a Uint8Array'],
  ['a log of 127 bytes', btfLoad, [BYTES, 127], 'RangeError', 'logSize must be 0 or at least 128, not 127'],
  [
    'a log of 1 GiB',
    btfLoad,
    [BYTES, 2 ** 30],
    'RangeError',
    'logSize must be an integer from 0 to 1073741823',
  ],
  ['bytes that are an array', btfLoadSync, [[1], 0], 'TypeError', 'bytes must be a Uint8Array'],
  [
    'a log of 127 bytes',
    btfLoadSync,
    [BYTES, 127],
    'RangeError',
    'logSize must be 0 or at least 128, not 127',
  ],
  ['a file to read of -1', readFile, [-1, BYTES], 'RangeError', 'fd must be an integer from 0'],
  ['room in words', readFile, [0, new Uint16Array(8)], 'TypeError', 'bytes must be a Uint8Array'],
  ['a log below 0', btfLoad, [BYTES, -1], 'RangeError', 'logSize must be an integer'],
  ['a program type below 0', progLoad, [-1, BYTES, 'GPL'], 'RangeError', 'programType must be an integer'],
  [
    'a half instruction',
    progLoad,
    [1, new Uint8Array(12), 'GPL'],
    'RangeError',
    'a multiple of 8 bytes, not 12',
  ],
  ['a file descriptor of -1', socketInfo, [-1], 'RangeError', 'fd must be an integer from 0'],
  ['a bpffs of -1', tokenCreate, [-1], 'RangeError', 'bpffsFd must be an integer from 0'],
  ['an address that is not a string', notify, [1, ''], 'TypeError', 'address must be a string, not number'],
  ['a text that is bytes', notify, ['/x', BYTES], 'TypeError', 'text must be a string, not object'],
  [
    'a license that is not a string',
    progLoad,
    [1, BYTES, 1],
    'TypeError',
    'license must be a string, not number',
  ],
];

describe('An argument is rejected before the call:', () => {
  test.each(CASES)('%s', async (_, call, args, name, message) => {
    const promise = new Promise((resolve) => {
      resolve(Reflect.apply(call, null, args));
    });
    await expect(promise).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });
});

test('btfLoad rejects its promise for an invalid argument and does not throw', async () => {
  const promise = btfLoad(BYTES, 1);
  await expect(promise).rejects.toBeInstanceOf(RangeError);
});
