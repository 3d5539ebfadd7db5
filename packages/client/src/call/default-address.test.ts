import { tmpdir } from 'node:os';
import { afterEach, expect, jest, test } from '@jest/globals';
import { defaultAddress } from './default-address.js';

const { env } = process;

afterEach(() => {
  process.env = env;
  jest.restoreAllMocks();
});

test.each([
  [0, '/run/user/0', 'unix:/run/btfd/btfd.sock'],
  [1000, '/run/user/1000', 'unix:/run/user/1000/btfd/btfd.sock'],
  [1000, undefined, `unix:${tmpdir()}/btfd-1000/btfd.sock`],
  [1000, 'relative', `unix:${tmpdir()}/btfd-1000/btfd.sock`],
  [1000, '', `unix:${tmpdir()}/btfd-1000/btfd.sock`],
])('of uid %d with runtime folder %s', (uid, runtimeDir, address) => {
  const { XDG_RUNTIME_DIR: _, ...rest } = env;
  process.env = runtimeDir === undefined ? rest : { ...rest, XDG_RUNTIME_DIR: runtimeDir };
  jest.spyOn(process, 'getuid').mockReturnValue(uid);
  expect(defaultAddress()).toBe(address);
});
