import { tmpdir } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import { defaultAddress } from './run-daemon.js';

describe('The default address', () => {
  test.each<[string, number, NodeJS.ProcessEnv, string]>([
    ['as root', 0, {}, '/run/btfd/btfd.sock'],
    ['as root, in a session', 0, { XDG_RUNTIME_DIR: '/run/user/0' }, '/run/btfd/btfd.sock'],
    ['in a session', 1000, { XDG_RUNTIME_DIR: '/run/user/1000' }, '/run/user/1000/btfd/btfd.sock'],
    ['without a session', 1000, {}, `${tmpdir()}/btfd-1000/btfd.sock`],
    ['with an empty variable', 1000, { XDG_RUNTIME_DIR: '' }, `${tmpdir()}/btfd-1000/btfd.sock`],
    ['with a relative path', 1000, { XDG_RUNTIME_DIR: 'run' }, `${tmpdir()}/btfd-1000/btfd.sock`],
  ])('%s', (_, uid, env, path) => {
    expect(defaultAddress(uid, env)).toEqual({ kind: 'unix', path });
  });
});
