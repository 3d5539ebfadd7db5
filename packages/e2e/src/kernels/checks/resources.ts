import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { BtfClient } from '@btfd/client';
import { intBtf } from '../../testing/sample-btf.js';
import { until } from '../../testing/until.js';
import type { Lab } from '../lab.js';
import { listInside } from './bpftool-inside.js';
import { type Check, reasonOf } from './check.js';
import { loadsUntilRefused, RESOURCE_EXHAUSTED } from './loading.js';

/** Fewer descriptors than the handles that the check loads. */
const FEW_FILES = 100;
/** Longer than an emulated daemon takes to start again. */
const LONG_TTL = 1_800_000;
/** Less than a daemon needs to serve anything. */
const LITTLE_MEMORY = '16M';
/** How often the daemon is killed. */
const KILLS = 2;

/** RESOURCES are the checks of lack: of files, of memory, of time, of a good network. The last ones end the daemon. */
export const RESOURCES: readonly Check[] = [
  {
    title: `a daemon with ${FEW_FILES} files refuses more handles, and continues to serve`,
    from: 'host',
    run: async (lab) => {
      const daemon = await lab.startDaemon({ wrapper: `/opt/bin/prlimit --nofile=${FEW_FILES}`, port: 1 });
      try {
        {
          await using client = lab.client(daemon);
          const { error, loads } = await loadsUntilRefused(client, FEW_FILES);
          expect(loads).toBeGreaterThan(10);
          expect([error?.code, error?.reason]).toEqual([RESOURCE_EXHAUSTED, 'OUT_OF_FILES']);
          expect((await client.serverInfo()).mode).toBe('full');
        }
        await using again = lab.client(daemon);
        await until('the handles are closed', async () => (await loadsUntilRefused(again, 5)).error === null);
      } finally {
        await lab.endDaemon(daemon, 'KILL');
      }
    },
  },
  {
    title: 'handles outlive a step of the clock by an hour, forward and back',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      await using handle = await client.loadHandle(intBtf(1, 'clock'), { ttl: 60_000 });
      const step = async (seconds: number): Promise<void> => {
        await lab.machine.sh(`date -s @$(( $(date +%s) + ${seconds} ))`);
      };
      await step(3600);
      try {
        await sleep(2000);
        expect((await handle.inspect()).remainingTtl).toBeGreaterThan(0);
        expect((await handle.inspect()).remainingTtl).toBeLessThanOrEqual(60_000);
      } finally {
        await step(-3600);
      }
      await sleep(2000);
      await handle.renew();
      expect((await handle.inspect()).remainingTtl).toBeLessThanOrEqual(60_000);
      expect(handle.lost.aborted).toBe(false);
    },
  },
  {
    title: 'transfers and loads are right over a network that loses, delays and reorders packets',
    from: 'host',
    run: async (lab) => {
      await using client = lab.client();
      const sum = (await lab.machine.sh('sha256sum /sys/kernel/btf/vmlinux')).split(' ')[0];
      await lab.machine.sh(
        'modprobe sch_netem; /opt/bin/tc qdisc add dev eth0 root netem delay 10ms 5ms loss 2% reorder 10%',
      );
      try {
        const bytes = await client.rawBtf('vmlinux');
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(sum);
        for (let i = 0; i < 5; i++) {
          await using handle = await client.loadHandle(intBtf(1000, `lossy${i}`));
          expect((await handle.rawBtf()).length).toBe(handle.info.size);
        }
      } finally {
        await lab.machine.sh('/opt/bin/tc qdisc del dev eth0 root');
      }
    },
  },
  {
    title: `${KILLS} times SIGKILL at a random point leave no object, and the daemon starts again`,
    from: 'host',
    run: async (lab) => {
      for (let round = 0; round < KILLS; round++) {
        const daemon = lab.mainDaemon();
        await using client = lab.client();
        await using handle = await client.loadHandle(intBtf(1, 'killed'), { ttl: LONG_TTL });
        const ending = new AbortController();
        const loads = (async () => {
          for (let i = 0; !ending.signal.aborted; i++)
            await client.loadHandle(intBtf(100 + i, 'more')).catch(() => null);
        })();
        await sleep(Math.random() * 1500);
        await lab.endDaemon(daemon, 'KILL');
        ending.abort();
        await until('the objects are gone', async () => (await userObjects(lab)).length === 0);
        lab.daemon = await lab.startDaemon();
        await loads;
        await reconnected(client);
        const error = await handle.inspect().catch((cause: unknown) => cause);
        expect(reasonOf(error)).toBe('HANDLE_OF_EARLIER_DAEMON');
      }
    },
  },
  {
    title: 'a daemon that exceeds its memory limit is ended alone, and leaves no object',
    from: 'host',
    run: async (lab) => {
      const { machine } = lab;
      const { pid, cgroup } = lab.mainDaemon();
      const kills = async (): Promise<number> =>
        Number(/oom_kill (\d+)/.exec(await machine.sh(`cat ${cgroup}/memory.events`))?.[1]);
      const before = await kills();
      await using client = lab.client();
      await using handle = await client.loadHandle(intBtf(1, 'memory'), { ttl: LONG_TTL });
      const ended = new AbortController();
      const requests = Array.from({ length: 8 }, async () =>
        client.rawBtf('vmlinux', { signal: ended.signal }),
      );
      const settled = Promise.allSettled(requests);
      // Less than the daemon has: the kernel ends it, whatever the requests need.
      await machine.sh(`echo ${LITTLE_MEMORY} > ${cgroup}/memory.max`);
      await until(
        'the daemon is ended',
        async () => (await machine.sh(`[ -d /proc/${pid} ] && echo there || echo gone`)) === 'gone',
      );
      // A client waits for a daemon that restarts.
      ended.abort();
      await settled;
      expect((await kills()) - before).toBe(1);
      expect(await userObjects(lab)).toEqual([]);
      lab.daemon = await lab.startDaemon();
      await reconnected(client);
      const error = await handle.inspect().catch((cause: unknown) => cause);
      expect(reasonOf(error)).toBe('HANDLE_OF_EARLIER_DAEMON');
    },
  },
];

/** Waits until a client has reached the daemon again: it pauses between attempts. */
async function reconnected(client: BtfClient): Promise<void> {
  await until('the client is connected again', async () =>
    client.serverInfo().then(
      () => true,
      () => false,
    ),
  );
}

async function userObjects({ machine }: Lab): Promise<number[]> {
  // bpftool loads a program of its own while it lists.
  const own = /^(?:bpftool|)$/;
  return (await listInside(machine))
    .filter(({ kernel, pids = [] }) => kernel !== true && !pids.every(({ comm }) => own.test(comm)))
    .map(({ id }) => id);
}
