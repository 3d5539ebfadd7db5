import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { needs } from 'test-tools';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';

/** A user of no other process. */
const USER = 47_113;
const AS_USER = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
/** Limits of the user's threads. The daemon already has more than the first one. */
const [NONE, ENOUGH] = [1, 1_000];
const RIGHTS = ['--inh-caps=-all,+bpf', '--ambient-caps=-all,+bpf', '--bounding-set=-all,+bpf'];

needs('bpf', 'root', 'setpriv').test(
  'A job without a thread fails with OUT_OF_MEMORY, and works when there are threads again',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-threads-'));
    chownSync(dir, USER, USER);
    chmodSync(dir, 0o755);
    try {
      await using daemon = await DaemonProcess.start({
        // With CAP_SYS_ADMIN or CAP_SYS_RESOURCE the kernel would not limit them.
        wrapper: ['setpriv', ...AS_USER, ...RIGHTS],
        socket: join(dir, 'btfd.sock'),
      });
      using client = new RawClient(daemon.address);
      const allow = (threads: number): void => {
        execFileSync('setpriv', [...AS_USER, 'prlimit', '--pid', String(daemon.pid), `--nproc=${threads}:`]);
      };
      const resolve = async (): Promise<unknown> =>
        client.call('resolveMembers', {
          source: { case: 'name', value: 'vmlinux' },
          paths: ['task_struct.pid'],
        });
      allow(NONE);
      expect(errorInfoOf(await failureOf(resolve()))).toMatchObject({
        reason: 'OUT_OF_MEMORY',
        metadata: { errno_name: 'EAGAIN' },
      });
      allow(ENOUGH);
      await resolve();
      expect(daemon.log.text).not.toContain('internal error');
      expect(await daemon.end()).toBe(0);
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
);
