import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { BtfError, status } from '@btfd/client';
import { deadAddress, silentNode } from '../testing/stand-ins.js';
import { reachNode } from './reach-node.js';

const SIGNAL = new AbortController().signal;

describe('Reaching a node', () => {
  test('works if something listens, and says why otherwise', async () => {
    await using silent = await silentNode();
    await reachNode(silent.address, 10_000, SIGNAL);
    await expect(reachNode(deadAddress(), 10_000, SIGNAL)).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: 'UNREACHABLE',
      rawMessage: expect.stringMatching(
        /^cannot connect to 127\.9\.0\.1:1: connection refused \(ECONNREFUSED\)$/,
      ),
    });
    await expect(reachNode('unix:/no/such/socket', 10_000, SIGNAL)).rejects.toThrow(
      'cannot connect to unix:/no/such/socket: there is no such socket (ENOENT)',
    );
    // RFC 6761: no resolver knows it. A machine without a network cannot say so.
    await expect(reachNode('daemon.invalid:1', 60_000, SIGNAL)).rejects.toThrow(
      /^cannot connect to daemon.invalid:1: (there is no such name \(ENOTFOUND\)|its name cannot be resolved now \(EAI_AGAIN\))/,
    );
  });

  test('ends after the time, and when its signal aborts', async () => {
    const leaving = new AbortController();
    leaving.abort(new Error('enough'));
    await expect(reachNode('127.0.0.1:1', 10_000, leaving.signal)).rejects.toThrow('enough');
    // A time that is over before a connection can be made.
    await expect(reachNode('host.invalid:1', 1e-3, SIGNAL)).rejects.toBeInstanceOf(BtfError);
  });

  test('has no end if its time is longer than the longest of Node’s timers', async () => {
    await using silent = await silentNode();
    await setImmediate();
    const reached = reachNode(silent.address, Infinity, SIGNAL);
    // A timer that is over runs before the connection is seen.
    for (const end = performance.now() + 20; performance.now() < end;);
    await reached;
  });
});
