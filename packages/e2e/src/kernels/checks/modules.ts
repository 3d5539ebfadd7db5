import { expect } from '@jest/globals';
import { until } from '../../testing/until.js';
import { type Check, reasonOf, withoutKernelIds } from './check.js';
import { hold, MODULE, newestId, Scene } from './module-scene.js';
import { CAP_BPF_ALONE } from './rights.js';

/** A module with much BTF. */
const LARGE_MODULE = 'btrfs';
/** How often a module is loaded and removed in a row. */
const ROUNDS = 200;
/** The rounds of one command: a command must end in time on a busy host. */
const ROUNDS_AT_ONCE = 25;

/** MODULES are the checks of modules that come and go. */
export const MODULES: readonly Check[] = [
  {
    title: 'a module that is loaded is reported once, listed and served, and removed once when it is removed',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab);
      const { client, watch } = scene;
      await scene.load();
      const id = await scene.idOf();
      await until('the watch reports the module', () => watch.of(id).includes('added'));
      expect(Buffer.from(await client.rawBtf(MODULE)).equals(await scene.file())).toBe(true);
      await using handle = await client.findHandle(({ name }) => name === MODULE);
      expect(handle.info.id).toBe(id);
      await handle.close();
      await scene.remove();
      await until('the watch reports the removal', () => watch.of(id).includes('removed'));
      expect(watch.of(id)).toEqual(['added', 'removed']);
      expect(await scene.listed()).toEqual([]);
      await scene.expectNoName();
    },
  },
  {
    title:
      'a module that is removed while it is held is reported as removed, and read only through the handle',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab);
      await scene.load();
      const bytes = await scene.file();
      await using handle = await scene.client.findHandle(({ name }) => name === MODULE);
      await scene.remove();
      await scene.expectGone(handle.info.id);
      expect((await handle.inspect()).info.removed).toBe(true);
      expect(Buffer.from(await handle.rawBtf()).equals(bytes)).toBe(true);
      await handle.close();
      expect(scene.watch.of(handle.info.id)).toEqual(['added', 'removed']);
    },
  },
  {
    title: 'a module that is removed while another program holds its BTF is reported as removed',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab);
      await scene.load();
      const id = await scene.idOf();
      const holder = await hold(lab, id);
      await scene.remove();
      await scene.expectGone(id);
      await lab.machine.sh(`kill ${holder}`);
      expect(scene.watch.of(id)).toEqual(['added', 'removed']);
    },
  },
  {
    title: 'a module that is loaded again has a new id and its new bytes, also while the old one is held',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab);
      const { client } = scene;
      await scene.load();
      const oldBytes = Buffer.from(await client.rawBtf(MODULE));
      await using old = await client.findHandle(({ name }) => name === MODULE);
      await scene.remove();
      await scene.loadChanged('q');
      const served = Buffer.from(await client.rawBtf(MODULE));
      expect(served.equals(await scene.file())).toBe(true);
      expect(served.equals(oldBytes)).toBe(false);
      const id = await scene.idOf();
      expect(id).toBeGreaterThan(old.info.id);
      expect((await scene.listed()).map((object) => object.id)).toEqual([id]);
      await until('the watch reports the new module', () => scene.watch.of(id).includes('added'));
      const order = scene.watch.events.flatMap((event) =>
        'info' in event && event.info.name === MODULE ? [[event.type, event.info.id]] : [],
      );
      expect(order).toEqual([
        ['added', old.info.id],
        ['removed', old.info.id],
        ['added', id],
      ]);
      expect((await old.inspect()).info.removed).toBe(true);
      await using current = await client.findHandle(({ name }) => name === MODULE);
      expect([current.info.id, (await current.inspect()).info.removed]).toEqual([id, false]);
      await scene.remove();
      await scene.expectGone(id);
    },
  },
  {
    title: 'the bytes of a name are never older than the file, while a module is loaded again 20 times',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab);
      await scene.load();
      await using old = await scene.client.findHandle(({ name }) => name === MODULE);
      for (let round = 0; round < 20; round++) {
        await scene.remove();
        await scene.loadChanged('ab'[round % 2] ?? 'a');
        const served = Buffer.from(await scene.client.rawBtf(MODULE));
        expect([round, served.equals(await scene.file())]).toEqual([round, true]);
      }
      expect((await old.inspect()).info.removed).toBe(true);
    },
  },
  {
    title: 'a module that is removed during a transfer is transferred whole',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab, { module: LARGE_MODULE });
      await scene.load();
      const bytes = await scene.file();
      using client = lab.rawClient();
      const stream = client.stream('spec', { source: { case: 'name', value: LARGE_MODULE } });
      const chunks: Uint8Array[] = [];
      for await (const { part } of stream) {
        if (part.case === 'header') await scene.remove();
        if (part.case === 'raw') chunks.push(part.value);
      }
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    },
  },
  {
    title: `a module that is loaded and removed ${ROUNDS} times in a row leaves no error, and no object`,
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab);
      const { client } = scene;
      const script = `for i in $(seq ${ROUNDS_AT_ONCE}); do modprobe ${MODULE} && rmmod ${MODULE} || exit 1; done`;
      const ended = new AbortController();
      const loop = async (call: () => Promise<unknown>): Promise<void> => {
        while (!ended.signal.aborted) await call();
      };
      const reader = loop(async () =>
        client.rawBtf(MODULE).catch((error: unknown) => {
          if (reasonOf(error) !== 'NAME_NOT_FOUND') throw error;
        }),
      );
      const lister = loop(async () => client.listObjects());
      try {
        for (let done = 0; done < ROUNDS; done += ROUNDS_AT_ONCE) await lab.machine.sh(script);
      } finally {
        ended.abort();
      }
      await Promise.all([reader, lister]);
      await until('the list is that of the kernel', async () => (await scene.listed()).length === 0);
      const ids = new Set(
        scene.watch.events.flatMap((event) =>
          'info' in event && event.info.name === MODULE ? [event.info.id] : [],
        ),
      );
      for (const id of ids) {
        await until('the watch reports the removal', () => scene.watch.of(id).includes('removed'));
        expect(scene.watch.of(id)).toEqual(['added', 'removed']);
      }
      const log = await lab.machine.sh(`cat ${lab.mainDaemon().logPath}`);
      expect(log.split('\n').filter((line) => /"code":"INTERNAL"/.test(line))).toEqual([]);
    },
  },
  {
    title: 'modules that come and go while the daemon is stopped are reported as far as the ids show them',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab);
      const { pid } = lab.mainDaemon();
      await scene.load();
      await until('the watch reports the module', () => scene.events().length === 1);
      const holders = [await hold(lab, await newestId(lab))];
      await lab.machine.sh(`kill -STOP ${pid}`);
      try {
        await scene.remove();
        await scene.loadChanged('q');
        holders.push(await hold(lab, await newestId(lab)));
        await scene.remove();
        await scene.loadChanged('r');
      } finally {
        await lab.machine.sh(`kill -CONT ${pid}`);
      }
      // Other kernels show no trace of the module in between.
      const between = lab.facts.keepsUnloadedIds ? ['added', 'removed'] : [];
      const expected = ['added', 'removed', ...between, 'added'];
      await until('the watch reports all', () => scene.events().length >= expected.length);
      expect(scene.events()).toEqual(expected);
      await lab.machine.sh(`kill ${holders.join(' ')}`);
      const served = Buffer.from(await scene.client.rawBtf(MODULE));
      expect(served.equals(await scene.file())).toBe(true);
    },
  },
  {
    title:
      'without the right to list ids, a module that is loaded again is removed and added, and served with its new bytes',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      const daemon = await lab.startDaemon({ wrapper: CAP_BPF_ALONE, port: 1 });
      try {
        await using scene = await Scene.open(lab, { daemon });
        await scene.load();
        await until('the watch reports the module', () => scene.events().length === 1);
        const oldBytes = Buffer.from(await scene.client.rawBtf(MODULE));
        // Between two looks, so that only the file shows it.
        await lab.machine.sh(`kill -STOP ${daemon.pid}`);
        try {
          await scene.remove();
          await scene.loadChanged('q');
        } finally {
          await lab.machine.sh(`kill -CONT ${daemon.pid}`);
        }
        const served = Buffer.from(await scene.client.rawBtf(MODULE));
        expect(served.equals(await scene.file())).toBe(true);
        expect(served.length).toBe(oldBytes.length);
        expect(served.equals(oldBytes)).toBe(false);
        await until('the watch reports the new module', () => scene.events().length >= 3);
        expect(scene.events()).toEqual(['added', 'removed', 'added']);
        expect((await scene.listed()).map(({ id }) => id)).toEqual([0]);
      } finally {
        await lab.endDaemon(daemon, 'KILL');
      }
    },
  },
  {
    title: 'a daemon that starts after a held module was removed does not know the module',
    from: 'host',
    except: withoutKernelIds,
    run: async (lab) => {
      await using scene = await Scene.open(lab);
      await scene.load();
      const holder = await hold(lab, await scene.idOf());
      await scene.remove();
      const daemon = await lab.startDaemon({ port: 1 });
      try {
        await using client = lab.client(daemon);
        expect((await client.listObjects()).filter(({ name }) => name === MODULE)).toEqual([]);
        const error = await client.rawBtf(MODULE).catch((cause: unknown) => cause);
        expect(reasonOf(error)).toBe('NAME_NOT_FOUND');
        await scene.load();
        expect(Buffer.from(await client.rawBtf(MODULE)).equals(await scene.file())).toBe(true);
      } finally {
        await lab.endDaemon(daemon, 'KILL');
        await lab.machine.sh(`kill ${holder}`);
      }
    },
  },
];
