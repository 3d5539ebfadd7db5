import { expect } from '@jest/globals';
import type { Lab } from '../lab.js';
import { dumpInside, listInside } from './bpftool-inside.js';
import { type Check, withoutKernelIds } from './check.js';

/** COMMANDS are the checks of btfctl in the machine, on the daemon’s unix socket. */
export const COMMANDS: readonly Check[] = [
  {
    title: 'btfctl list prints the objects of bpftool',
    from: 'inside',
    except: withoutKernelIds,
    run: async (lab) => {
      const ours: { id: number; name?: string }[] = JSON.parse(await btfctl(lab, 'list -o json'));
      const theirs = (await listInside(lab.machine)).map(({ id, name = '' }) => [id, name]);
      expect(ours.map(({ id, name = '' }) => [id, name])).toEqual(theirs);
    },
  },
  {
    title: 'btfctl layout prints the sizes and offsets of bpftool',
    from: 'inside',
    run: async (lab) => {
      const types = await dumpInside(lab.machine, 'vmlinux');
      const struct = types.find(({ kind, name }) => kind === 'STRUCT' && name === 'list_head');
      const text = await btfctl(lab, 'layout list_head -o json');
      expect(text).toContain(`"size":${struct?.size}`);
      for (const { name, bits_offset: bits } of struct?.members ?? []) {
        expect(text).toMatch(new RegExp(`"name":"${name}"[^}]*"offset":${bits / 8}`));
      }
    },
  },
  {
    title: 'btfctl header of some types is C that names them',
    from: 'inside',
    run: async (lab) => {
      expect(await btfctl(lab, 'header --type list_head')).toMatch(
        /struct list_head \{\n\tstruct list_head \*next;\n\tstruct list_head \*prev;\n\};/,
      );
    },
  },
];

async function btfctl(lab: Lab, args: string): Promise<string> {
  return lab.machine.sh(`btfctl --address unix:${lab.mainDaemon().socket} ${args}`);
}
