import { expect, test } from '@jest/globals';
import type { HandleInfo } from '@btfd/client';
import { makeColors } from './colors.js';
import { objectData, objectsText } from './object-list.js';

/**
 * `bpftool -j btf list` on Linux 7.3, by bpftool 7.8 of github.com/libbpf/bpftool at 0ffb9862, built with the skeletons that
 * find processes: object 5 is held by a process and its child. Debian's bpftool has no skeletons, and they need a kernel with
 * CONFIG_KALLSYMS_ALL, so no bpftool of the other tests prints `pids`.
 */
const RECORDED = JSON.parse(`[
  {"id":1,"size":5293890,"prog_ids":[],"map_ids":[],"kernel":true,"name":"vmlinux"},
  {"id":5,"size":45,"prog_ids":[],"map_ids":[],
   "pids":[{"pid":161,"comm":"btf user (:"},{"pid":163,"comm":"second"}],"kernel":false}
]`);
/** The same by `bpftool btf list`, of object 5. */
const RECORDED_TEXT = '5: name <anon>  size 45B\n\tpids btf user (:(161), second(163)\n';

const NOBODY = { programs: [], maps: [], processes: [] };
const VMLINUX: HandleInfo = {
  id: 1,
  name: 'vmlinux',
  origin: 'vmlinux',
  isKernel: true,
  size: 5_293_890,
  removed: false,
  isVmlinux: true,
  isModule: false,
  digest: null,
  users: NOBODY,
};
const HELD: HandleInfo = {
  ...VMLINUX,
  id: 5,
  name: '',
  origin: 'user',
  isKernel: false,
  size: 45,
  isVmlinux: false,
  users: {
    ...NOBODY,
    processes: [
      { pid: 161, command: 'btf user (:' },
      { pid: 163, command: 'second' },
    ],
  },
};

test('the data of an object has the fields of bpftool, and more after them', () => {
  // bpftool leaves out an empty name.
  const shared = (key: string, value: unknown): unknown =>
    key === 'origin' || key === 'removed' || (key === 'name' && value === '') ? undefined : value;
  expect(JSON.stringify([VMLINUX, HELD].map(objectData), shared)).toBe(JSON.stringify(RECORDED));
});

test('pids is absent if no process holds the object, and all users if they are unknown', () => {
  expect(objectData(VMLINUX)).not.toHaveProperty('pids');
  expect(objectData(VMLINUX)).toMatchObject({ prog_ids: [], map_ids: [] });
  const unknown = Object.keys(Object(objectData({ ...HELD, users: null })));
  expect(unknown).toEqual(['id', 'size', 'kernel', 'name', 'origin', 'removed']);
});

test('the table shows users as bpftool, with a comma between them', () => {
  const options = { wide: true, digest: false, width: null, colors: makeColors(false) };
  const [, pids = ''] = /pids (.*)\n/.exec(RECORDED_TEXT) ?? [];
  const [, , row = ''] = objectsText([VMLINUX, HELD], options).split('\n');
  expect(pids).not.toBe('');
  expect(row.trim().split(/ {2,}/)).toEqual(['5', '-', 'user', '45', '-', '-', pids]);
});
