import { expect } from '@jest/globals';
import type { KernelFacts } from '../kernel-table.js';
import { intBtf } from '../../testing/sample-btf.js';
import type { Check } from './check.js';
import { reasonOf } from './modules.js';

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

function withKernelIds({ kernelIds }: KernelFacts): string | null {
  return kernelIds ? 'the BTF of the kernel has ids' : null;
}
