import { expect } from '@jest/globals';
import type { Lab } from '../lab.js';
import { dumpInside, listInside } from './bpftool-inside.js';
import { type Check, withoutKernelIds } from './check.js';

/** Layout is a layout in the output of `btfctl layout -o json`. */
interface Layout {
  readonly size: number;
  readonly rows: readonly { readonly row: string; readonly name: string; readonly offset: number }[];
}

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
      const theirs = types.find(({ kind, name }) => kind === 'STRUCT' && name === 'list_head');
      const [ours]: Layout[] = JSON.parse(await btfctl(lab, 'layout list_head -o json'));
      const members = ours?.rows.filter(({ row }) => row === 'member');
      expect([ours?.size, members?.map(({ name, offset }) => [name, offset * 8])]).toEqual([
        theirs?.size,
        theirs?.members?.map(({ name, bits_offset: bits }) => [name, bits]),
      ]);
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
  return lab.machine.sh(`btfctl --timeout 10m --address unix:${lab.mainDaemon().socket} ${args}`);
}
