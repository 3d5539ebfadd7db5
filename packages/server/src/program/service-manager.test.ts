import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../testing/manual-clock.js';
import { ServiceManager } from './service-manager.js';

function setUp(env: NodeJS.ProcessEnv) {
  const clock = new ManualClock();
  const sent: string[][] = [];
  const errors: unknown[] = [];
  const failure: { error: Error | null } = { error: null };
  const manager = new ServiceManager({
    env,
    pid: 42,
    clock,
    send: (address, text) => {
      if (failure.error !== null) throw failure.error;
      sent.push([address, ...text.split('\n')]);
    },
    onError: (error) => errors.push(error),
  });
  return { manager, clock, sent, errors, failure };
}

describe('The service manager', () => {
  test('gets each state, with a text for people', () => {
    const { manager, sent } = setUp({ NOTIFY_SOCKET: '/run/notify' });
    manager.ready('serving');
    manager.reloading();
    manager.reloaded();
    manager.stopping();
    expect(sent).toEqual([
      ['/run/notify', 'READY=1', 'STATUS=serving'],
      ['/run/notify', 'RELOADING=1', expect.stringMatching(/^MONOTONIC_USEC=\d+$/), expect.any(String)],
      ['/run/notify', 'READY=1', 'STATUS=serving'],
      ['/run/notify', 'STOPPING=1', 'STATUS=waiting for calls in flight'],
    ]);
  });

  test('gets nothing without NOTIFY_SOCKET', () => {
    const { manager, sent, clock } = setUp({ WATCHDOG_USEC: '1000000' });
    manager.ready('serving');
    manager.reloading();
    manager.stopping();
    expect([sent, clock.timers]).toEqual([[], 0]);
  });

  test('keeps its variables to this process', () => {
    const env = { NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '1', WATCHDOG_PID: '42', PATH: '/bin' };
    setUp(env);
    expect(env).toEqual({ PATH: '/bin' });
  });

  test('does not stop the daemon if it cannot be reached', () => {
    const { manager, errors, failure } = setUp({ NOTIFY_SOCKET: '/run/notify' });
    failure.error = new Error('ECONNREFUSED');
    manager.ready('serving');
    expect(errors).toEqual([failure.error]);
  });
});

describe('The watchdog', () => {
  const ALIVE = ['/run/notify', 'WATCHDOG=1'];

  test.each([[undefined], ['42']])(
    'gets two messages in its interval, until the end (WATCHDOG_PID %s)',
    (owner) => {
      const { manager, clock, sent } = setUp({
        NOTIFY_SOCKET: '/run/notify',
        WATCHDOG_USEC: '10000000',
        WATCHDOG_PID: owner,
      });
      clock.advance(20_000);
      expect(sent).toEqual([]);
      manager.ready('serving');
      clock.advance(4_999);
      expect(sent).toHaveLength(1);
      clock.advance(5_001);
      expect(sent.slice(1)).toEqual([ALIVE, ALIVE]);
      manager.stopping();
      expect(clock.timers).toBe(0);
    },
  );

  test.each<[NodeJS.ProcessEnv]>([
    [{}],
    [{ WATCHDOG_USEC: '0' }],
    [{ WATCHDOG_USEC: 'soon' }],
    [{ WATCHDOG_USEC: '10000000', WATCHDOG_PID: '41' }],
  ])('gets nothing if the environment does not request it: %j', (env) => {
    const { manager, clock } = setUp({ NOTIFY_SOCKET: '/run/notify', ...env });
    manager.ready('serving');
    expect(clock.timers).toBe(0);
  });
});
