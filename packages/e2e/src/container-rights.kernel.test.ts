import { execFileSync } from 'node:child_process';
import { chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Mode } from '@btfd/api';
import { DaemonProcess } from './testing/daemon-process.js';
import { RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';

/** The uid that the image runs as. */
const USER = 65_532;

/**
 * Returns a command that does what a container runtime does for `--cap-drop ALL --cap-add BPF --cap-add SYS_ADMIN
 * --user 65532 --read-only` and a volume.
 */
const asInAContainer = (volume: string) => {
  const namespaces = ['unshare', '--mount', '--ipc', '--uts'];
  const mounts = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && exec "$@"';
  const user = [`--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'];
  const rights = ['--inh-caps=-all', '--bounding-set=-all,+bpf,+sys_admin'];
  return [...namespaces, 'bash', '-c', mounts, volume, 'setpriv', ...user, ...rights];
};

needs('bpf', 'setcap', 'setpriv', 'unshare').describe(
  'A Node with the file capabilities of the image',
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'btfd-container-'));
    const node = join(dir, 'node');

    beforeAll(() => {
      copyFileSync(process.execPath, node);
      execFileSync('setcap', ['cap_bpf,cap_sys_admin=ep', node]);
      chownSync(dir, USER, USER);
    });
    afterAll(() => rmSync(dir, { recursive: true }));

    test('runs a fully working daemon, not as root, with only these two capabilities', async () => {
      await using daemon = await DaemonProcess.start({
        node,
        wrapper: asInAContainer(dir),
        socket: join(dir, 'btfd.sock'),
      });
      const status = readFileSync(`/proc/${daemon.pid}/status`, 'latin1');
      const two = ((1n << 39n) | (1n << 21n)).toString(16).padStart(16, '0');
      expect(status).toContain(`\nUid:\t${USER}\t${USER}\t${USER}\t${USER}\n`);
      for (const set of ['CapEff', 'CapPrm', 'CapBnd']) expect(status).toContain(`\n${set}:\t${two}\n`);
      using client = new RawClient(daemon.address);
      expect((await client.call('getServerInfo', {})).mode).toBe(Mode.FULL);
      const { result } = await client.call('loadHandle', {
        source: { case: 'rawBtf', value: intBtf(1, 'image') },
      });
      expect(result.case).toBe('handle');
    });
  },
);
