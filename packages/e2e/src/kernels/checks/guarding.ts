import { expect } from '@jest/globals';
import { BtfError } from '@btfd/client';
import { UNSAFE_BTF } from '../../testing/unsafe-btf.js';
import type { Lab } from '../lab.js';
import type { Check } from './check.js';

/** GUARDING are the checks that the daemon keeps BTF from the kernel that the kernel may not survive. */
export const GUARDING: readonly Check[] = [
  {
    title: 'BTF that some kernels do not survive reaches none of them',
    from: 'host',
    run: async (lab) => {
      for (const make of Object.values(UNSAFE_BTF)) {
        expect(await reasonOf(lab, make())).toBe('BTF_UNSAFE');
      }
      // A kernel that had been given one would have warned, and one without the fixes would be damaged.
      expect(lab.machine.warnings()).toEqual([]);
    },
  },
];

/** Returns the reason for which a load fails. */
async function reasonOf(lab: Lab, bytes: Uint8Array): Promise<string | null> {
  await using client = lab.client();
  try {
    await (await client.loadHandle(bytes)).close();
    return null;
  } catch (error) {
    if (error instanceof BtfError) return error.reason;
    throw error;
  }
}
