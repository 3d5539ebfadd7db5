import { expect } from '@jest/globals';
import { intBtf } from '../../testing/sample-btf.js';
import { type Check, reasonOf, withKernelIds } from './check.js';

/** WITHOUT_IDS are the checks on kernels before 5.11, whose own BTF has no id. */
export const WITHOUT_IDS: readonly Check[] = [
  {
    title:
      'without ids of kernel BTF, the list has vmlinux with id 0, and the server info says what cannot be held',
    from: 'host',
    except: withKernelIds,
    run: async (lab) => {
      await using client = lab.client();
      const kernel = (await client.listObjects()).filter(({ origin }) => origin === 'vmlinux');
      expect(kernel.map(({ id, name }) => [id, name])).toEqual([[0, 'vmlinux']]);
      const { operations } = await client.serverInfo();
      const missing = operations.filter(({ available }) => !available);
      expect(missing).toEqual([
        { operation: 'hold-kernel', available: false, reason: expect.stringContaining('before Linux 5.11') },
      ]);
    },
  },
  {
    title: 'without ids of kernel BTF, vmlinux is found and read, but not held',
    from: 'host',
    except: withKernelIds,
    run: async (lab) => {
      await using client = lab.client();
      await using own = await client.loadHandle(intBtf(1, 'own'));
      const error = await client
        .findHandle(({ name }) => name === 'vmlinux')
        .catch((cause: unknown) => cause);
      expect(reasonOf(error)).toBe('NOT_HOLDABLE');
      const taken: number[] = [];
      for await (const handle of client.iterateHandles()) {
        if (handle.info.name === 'vmlinux') {
          expect([...(await handle.spec()).typesByName('task_struct')]).not.toEqual([]);
          expect(reasonOf(await handle.take().catch((cause: unknown) => cause))).toBe('NOT_HOLDABLE');
        } else {
          await using held = await handle.take();
          taken.push(held.info.id);
        }
      }
      expect(taken).toContain(own.info.id);
      using raw = lab.rawClient();
      const sent: [string | undefined, boolean][] = [];
      for await (const { info, handle } of raw.stream('iterateHandles', { hold: true })) {
        sent.push([info?.name, handle !== undefined]);
        // The stream waits for the end of what it holds.
        if (handle !== undefined) await raw.call('closeHandles', { tokens: [handle.token] });
      }
      expect(sent).toContainEqual(['vmlinux', false]);
      expect(sent.filter(([, isHeld]) => isHeld)).not.toEqual([]);
      const { status, bytes } = await lab.machine.run(
        `btfctl --timeout 10m --address unix:${lab.mainDaemon().socket} hold vmlinux -- true`,
      );
      expect([status === 0, bytes.toString()]).toEqual([false, expect.stringContaining('has no BTF id')]);
    },
  },
  {
    title: 'without BTF of modules, the name of a module is not found, with the reason',
    from: 'host',
    except: withKernelIds,
    run: async (lab) => {
      await lab.machine.sh('modprobe dummy');
      await using client = lab.client();
      const error = await client.rawBtf('dummy').catch((cause: unknown) => cause);
      expect(reasonOf(error)).toBe('NAME_NOT_FOUND');
      expect(String(error)).toContain('before Linux 5.11 modules have no BTF');
    },
  },
];
