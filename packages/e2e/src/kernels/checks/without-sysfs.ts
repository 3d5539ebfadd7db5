import { expect } from '@jest/globals';
import { intBtf } from '../../testing/sample-btf.js';
import { type Check, reasonOf, withKernelIds, withoutKernelIds } from './check.js';
import { listInside } from './bpftool-inside.js';
import { MODULE, Scene } from './module-scene.js';

/** Runs a command that sees an empty folder instead of /sys/kernel/btf. */
const WITHOUT_SYSFS = `unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh`;

/** WITHOUT_SYSFS_CHECKS are the checks of a daemon that does not see the files of the kernel’s BTF. */
export const WITHOUT_SYSFS_CHECKS: readonly Check[] = [
  {
    title:
      'a daemon that does not see /sys/kernel/btf lists and serves by id, also a module that is loaded again',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      const daemon = await lab.startDaemon({ wrapper: WITHOUT_SYSFS, port: 1 });
      try {
        await using scene = await Scene.open(lab, { daemon });
        const { client } = scene;
        await scene.load();
        const theirs = (await listInside(lab.machine)).map(({ id, name = '' }) => [id, name]);
        expect((await client.listObjects()).map(({ id, name }) => [id, name])).toEqual(theirs);
        expect(Buffer.from(await client.rawBtf(MODULE)).equals(await scene.file())).toBe(true);
        await using old = await client.findHandle(({ name }) => name === MODULE);
        await scene.remove();
        await scene.loadChanged('q');
        expect(Buffer.from(await client.rawBtf(MODULE)).equals(await scene.file())).toBe(true);
        expect((await old.inspect()).info.removed).toBe(true);
        const id = await scene.idOf();
        expect(id).toBeGreaterThan(old.info.id);
      } finally {
        await lab.endDaemon(daemon, 'KILL');
      }
    },
  },
  {
    // No Debian kernel is built without BTF. Without ids, a kernel whose files are not visible shows none either.
    title: 'a kernel that shows no BTF of its own is reported as built without BTF, and loads are served',
    from: 'host',
    except: withKernelIds,
    run: async (lab) => {
      const daemon = await lab.startDaemon({ wrapper: WITHOUT_SYSFS, port: 1 });
      try {
        await using client = lab.client(daemon);
        const { operations } = await client.serverInfo();
        const reason = expect.stringContaining('built without BTF');
        expect(operations.filter(({ available }) => !available)).toEqual([
          { operation: 'spec-by-name', available: false, reason },
          { operation: 'hold-kernel', available: false, reason },
        ]);
        for (const name of ['vmlinux', 'x']) {
          const error = await client.rawBtf(name).catch((cause: unknown) => cause);
          expect([name, reasonOf(error)]).toEqual([name, 'KERNEL_WITHOUT_BTF']);
        }
        await using own = await client.loadHandle(intBtf(1, 'own'));
        const listed = (await client.listObjects()).map(({ id, isKernel }) => [id, isKernel]);
        expect(listed).toEqual([[own.info.id, false]]);
      } finally {
        await lab.endDaemon(daemon, 'KILL');
      }
    },
  },
];
