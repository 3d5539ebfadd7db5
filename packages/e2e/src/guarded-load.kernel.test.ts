import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { graphRoots, lists, longParams, modifierChains, nestedStructs } from '@btfd/bench/slow-btf';
import { callAs, type Identity, type Outcome } from './testing/caller-process.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { intBtf } from './testing/sample-btf.js';
import { UNSAFE_BTF } from './testing/unsafe-btf.js';

/** An id that no user of the machine has. */
const LOADER: Identity = { uid: 61_014, gid: 54_331, groups: [] };
const ROOT: Identity = { uid: 0, gid: 0, groups: [] };
/** So that none of the following takes the kernel much longer if the daemon does not refuse it. */
const LIMIT = '50ms';

needs('bpf').describe('BTF that harms the kernel', () => {
  let dir: string;
  let daemon: DaemonProcess;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'btfd-guarded-'));
    chmodSync(dir, 0o755);
    const args = ['--socket-group', String(LOADER.gid), '--loader', `uid:${LOADER.uid}`];
    args.push('--max-check-time', LIMIT, '--metrics-listen', '127.0.0.1:0', '--log-format', 'json');
    daemon = await DaemonProcess.start({ socket: join(dir, 'run', 'btfd.sock'), args });
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  const load = async (who: Identity, bytes: Uint8Array): Promise<Outcome> => {
    const rawBtf = Buffer.from(bytes).toString('base64');
    const [outcome = {}] = await callAs(daemon.address, who, [['loadHandle', { rawBtf, ttl: '1s' }]]);
    return outcome;
  };

  test.each(Object.entries(UNSAFE_BTF))('reaches no kernel, whoever loads it: %s', async (_, make) => {
    for (const who of [LOADER, ROOT]) {
      const { reason, message } = await load(who, make());
      expect(reason).toBe('BTF_UNSAFE');
      expect(message).toMatch(/^type \d+ .*: (remove|refer|give)/);
    }
  });

  test.each<[string, Uint8Array]>([
    ['nested structs', nestedStructs(19)],
    ['lists', lists(1_500)],
    ['names of members compared for each list', graphRoots(20, 6_000)],
    ['modifiers after each pointer', modifierChains(3_300, 3_300)],
    ['names walked for the log', longParams(2_000, 40_000)],
  ])(
    'is refused by estimate, also below a megabyte and to a loader who is not root: %s',
    async (_, bytes) => {
      expect((await load(LOADER, bytes)).reason).toBe('BTF_TOO_EXPENSIVE');
    },
  );

  test('is compared with the time that the kernel took', async () => {
    expect((await load(LOADER, intBtf(1, 'small'))).reason).toBeUndefined();
    const metrics = await (await fetch(`${daemon.metricsUrl}/metrics`)).text();
    expect(metrics).toContain('\nbtfd_load_estimate_ratio_count 1\n');
    // Nothing else reached the kernel.
    expect(metrics).toContain('\nbtfd_load_duration_seconds_count 1\n');
  });
});
