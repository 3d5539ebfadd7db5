import { describe, expect, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import {
  ADDRESSES,
  BYTES,
  bytes,
  choice,
  COUNT,
  DIRECTORY,
  DURATION,
  DURATION_OR_NONE,
  FILE,
  findGroup,
  GROUP,
  NODE_NAME,
  MEBIBYTES_OR_NONE,
  PRINCIPALS,
  SWITCH,
} from './kinds.js';
import type { Kind } from './setting.js';

const LEVEL = choice('LEVEL', ['info', 'warn']);

describe('A value given as text', () => {
  test.each<[Kind<unknown>, string, unknown]>([
    [BYTES, '1', 1],
    [BYTES, '4096', 4096],
    [BYTES, '64KiB', 65_536],
    [BYTES, '17MiB', 17 * 1024 * 1024],
    [BYTES, '1GiB', 2 ** 30],
    [DURATION, '1ms', 1],
    [DURATION, '30s', 30_000],
    [DURATION, '1m30s', 90_000],
    [DURATION, '24h', 86_400_000],
    [DURATION, '1h1m1s1ms', 3_661_001],
    [DURATION_OR_NONE, 'none', Infinity],
    [DURATION_OR_NONE, '1s', 1_000],
    [MEBIBYTES_OR_NONE, '64MiB', 64],
    [MEBIBYTES_OR_NONE, 'none', Infinity],
    [FILE, 'x', `${process.cwd()}/x`],
    [PRINCIPALS, 'uid:0', ['uid:0']],
    [GROUP, 'root', 0],
    [GROUP, '12', 12],
    [NODE_NAME, 'ip-10-0-3-17', 'ip-10-0-3-17'],
    [COUNT, '1', 1],
    [COUNT, '1000000000', 1_000_000_000],
    [SWITCH, 'true', true],
    [SWITCH, 'false', false],
    [LEVEL, 'warn', 'warn'],
    [DIRECTORY, '/sys/..', '/sys/..'],
    [DIRECTORY, '.', process.cwd()],
  ])('%# is read: %s %s', (kind, text, value) => {
    expect(kind.parse([text])).toEqual(value);
  });

  test.each<[Kind<unknown>, string, string]>([
    [BYTES, '0', 'is not a size between 1 and 1GiB'],
    [BYTES, '2GiB', 'between 1 and 1GiB'],
    [BYTES, '1025MiB', 'between 1 and 1GiB'],
    [BYTES, '64kb', 'write it as 4096, 64KiB, 16MiB or 1GiB'],
    [BYTES, '64 KiB', 'is not a size'],
    [BYTES, '1.5MiB', 'is not a size'],
    [BYTES, '-1', 'is not a size'],
    [BYTES, '99999999999', 'is not a size'],
    [bytes(1024, 4096), '1023', 'is not a size between 1KiB and 4KiB'],
    [DURATION, '30', 'write it as 250ms, 30s, 5m, 1h or 1m30s'],
    [DURATION, '0s', 'is not a time between 1ms and 24h'],
    [DURATION, '25h', 'is not a time'],
    [DURATION, '24h1ms', 'is not a time'],
    [DURATION, '1.5s', 'is not a time'],
    [DURATION, 'x1s', 'is not a time'],
    [DURATION, '1s x', 'is not a time'],
    [DURATION, '', '"" is not a time'],
    [COUNT, '0', 'is not a whole number between 1 and 1000000000'],
    [COUNT, '1000000001', 'is not a whole number'],
    [COUNT, '1e3', 'is not a whole number'],
    [COUNT, '0x10', 'is not a whole number'],
    [SWITCH, 'yes', '"yes" is neither true nor false'],
    [LEVEL, 'loud', '"loud" is not one of info, warn'],
    [LEVEL, 'toString', '"toString" is not one of info, warn'],
    [DURATION_OR_NONE, 'never', 'is not a time'],
    [MEBIBYTES_OR_NONE, '1KiB', 'is not a whole number of MiB'],
    [PRINCIPALS, 'somebody', 'somebody'],
    [GROUP, 'no-such-group', 'has no group'],
    [NODE_NAME, '', 'is not a name'],
    [NODE_NAME, 'built-in node', 'is not a name'],
    [ADDRESSES, 'localhost', 'invalid address "localhost"'],
    [DIRECTORY, '', 'the path is empty'],
  ])('%# is refused with a reason: %s %s', (kind, text, message) => {
    expect(() => kind.parse([text])).toThrow(message);
  });

  test.each([BYTES, DURATION, COUNT, SWITCH, LEVEL, DIRECTORY])('must be one value, not several', (kind) => {
    expect(() => kind.parse(['1', '2'])).toThrow('expected one value, got 2');
    expect(() => kind.parse([])).toThrow('expected one value, got 0');
  });

  test('is shortened in the error if it is very long', () => {
    expect(() => COUNT.parse(['9'.repeat(100_000)])).toThrow(/^.{100,160}$/);
  });
});

describe('A folder', () => {
  test.each([
    ['/no/such/folder', 'no such file or directory'],
    ['/etc/passwd', '/etc/passwd is not a folder'],
    [`/${'n'.repeat(5000)}`, 'ENAMETOOLONG'],
  ])('is refused unless it exists: %s', async (path, message) => {
    await expect(DIRECTORY.check?.(DIRECTORY.parse([path]))).rejects.toThrow(message);
  });

  test('is accepted if it exists, or if none is named', async () => {
    await DIRECTORY.check?.(DIRECTORY.parse(['/etc']));
    await DIRECTORY.check?.(null);
  });
});

describe('A value is formatted', () => {
  test.each<[Kind<number>, number, string]>([
    [BYTES, 2 ** 30, '1GiB'],
    [BYTES, 4 * 1024 * 1024 - 4096, '4092KiB'],
    [BYTES, 1025, '1025'],
    [DURATION, 3_600_000, '1h'],
    [DURATION, 90_000, '90s'],
    [DURATION, 1_500, '1500ms'],
    [COUNT, 64, '64'],
    [DURATION_OR_NONE, Infinity, 'none'],
    [MEBIBYTES_OR_NONE, 64, '64MiB'],
    [MEBIBYTES_OR_NONE, Infinity, 'none'],
  ])('%# in the largest unit that is exact, and can be read again: %s %d', (kind, value, text) => {
    expect(kind.format(value)).toBe(text);
    expect(kind.parse([text])).toBe(value);
  });

  test('as addresses separated by commas', () => {
    const addresses = ADDRESSES.parse(['unix:/a', '[::1]:80']);
    expect(ADDRESSES.format(addresses)).toBe('unix:/a,[::1]:80');
    expect([ADDRESSES.format([]), DIRECTORY.format(null)]).toEqual(['none', 'none']);
  });
});

describe('A group', () => {
  const FILE_TEXT = 'root:x:0:\nbtf:x:1234:alice,bob\nbroken\nodd:x:12a:\n';

  test.each([
    ['btf', 1234],
    ['root', 0],
    ['27', 27],
  ])('%s has the number %d', (text, gid) => {
    using dir = new TempDir();
    expect(findGroup(text, dir.write('group', FILE_TEXT))).toBe(gid);
  });

  test.each(['none', '', 'bt', 'odd', '-1', 'broken'])('%j does not exist', (text) => {
    using dir = new TempDir();
    const file = dir.write('group', FILE_TEXT);
    expect(() => findGroup(text, file)).toThrow(`has no group ${JSON.stringify(text)}`);
  });

  test('is read from the file of the system', () => {
    expect(findGroup('root')).toBe(0);
  });
});
