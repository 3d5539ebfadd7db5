import type { SocketInfo } from '@btfd/native';
import { describe, expect, test } from '@jest/globals';
import { takeActivatedSockets } from './activated-sockets.js';

const UNIX: SocketInfo = { family: 'unix', isListening: true, host: '/run/btfd/btfd.sock', port: 0 };
const TCP: SocketInfo = { family: 'inet', isListening: true, host: '::1', port: 80 };

function take(env: NodeJS.ProcessEnv, ...infos: readonly SocketInfo[]) {
  return takeActivatedSockets(env, 42, (fd) => {
    const info = infos[fd - 3];
    if (info === undefined) throw new Error(`getsockopt of fd ${fd}: EBADF`);
    return info;
  });
}

describe('Passed sockets', () => {
  test('become addresses with their file descriptor, from 3', () => {
    const env = { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', PATH: '/bin' };
    expect(take(env, UNIX, TCP)).toEqual({
      addresses: [
        { kind: 'unix', path: '/run/btfd/btfd.sock', fd: 3 },
        { kind: 'tcp', host: '::1', port: 80, fd: 4 },
      ],
      fdSocket: null,
    });
    expect(env).toEqual({ PATH: '/bin' });
  });

  test('named fd are for requests of file descriptors', () => {
    const env = (names: string) => ({ LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: names });
    const path = '/run/btfd/btfd.sock';
    expect(take(env('btfd.socket:fd'), UNIX, UNIX)).toEqual({
      addresses: [{ kind: 'unix', path, fd: 3 }],
      fdSocket: { kind: 'unix', path, fd: 4 },
    });
    expect(() => take(env('fd:fd'), UNIX, UNIX)).toThrow('the passed socket 4 (fd) is a second socket');
    expect(() => take(env('fd:a'), TCP, UNIX)).toThrow('the passed socket 3 (fd) is not a unix socket');
  });

  test.each<[NodeJS.ProcessEnv]>([
    [{}],
    [{ LISTEN_FDS: '1' }],
    [{ LISTEN_FDS: '1', LISTEN_PID: '41' }],
    [{ LISTEN_FDS: '1', LISTEN_PID: '042' }],
    [{ LISTEN_FDS: '0', LISTEN_PID: '42' }],
    [{ LISTEN_PID: '42' }],
  ])('of another process are ignored: %j', (env) => {
    expect(take(env, UNIX)).toEqual({ addresses: [], fdSocket: null });
    expect(env).toEqual({});
  });

  test.each<[string, SocketInfo | null, string]>([
    ['1', { ...UNIX, isListening: false }, 'the passed socket 3 (btfd.socket) does not accept streams'],
    ['1', { ...UNIX, host: '@name' }, 'the passed socket 3 (btfd.socket) has no path'],
    ['1', { ...UNIX, host: '' }, 'the passed socket 3 (btfd.socket) has no path'],
    ['1', { ...TCP, family: 'other' }, 'is neither a unix socket nor a TCP socket'],
    ['1', null, 'the passed socket 3 (btfd.socket) is not a socket: getsockopt of fd 3: EBADF'],
    ['2', UNIX, 'the passed socket 4 is not a socket: getsockopt of fd 4: EBADF'],
    ['65', UNIX, 'LISTEN_FDS=65 is not a number between 0 and 64'],
    ['-1', UNIX, 'LISTEN_FDS=-1 is not a number'],
    ['x', UNIX, 'LISTEN_FDS=x is not a number'],
    ['', UNIX, 'LISTEN_FDS= is not a number'],
  ])('%s that cannot accept connections are refused: %j', (count, info, message) => {
    const env = { LISTEN_PID: '42', LISTEN_FDS: count, LISTEN_FDNAMES: 'btfd.socket' };
    expect(() => take(env, ...(info === null ? [] : [info]))).toThrow(message);
  });
});
