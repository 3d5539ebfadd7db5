import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';

import { mapGetInfoById, mapGetNextId, progGetInfoById, progGetNextId } from './index.js';
import { BtfUser } from './testing/btf-user.js';

import { runNode } from './testing/run-node.js';

const KINDS = [
  ['program', 'PROG', progGetNextId, progGetInfoById],
  ['map', 'MAP', mapGetNextId, mapGetInfoById],
] as const;

function walk(nextId: (after: number) => number | null): number[] {
  const ids: number[] = [];
  for (let id = nextId(0); id !== null; id = nextId(id)) ids.push(id);
  return ids;
}

needs('bpf').describe('Programs and maps', () => {
  let user: BtfUser;
  beforeAll(async () => {
    user = await BtfUser.start();
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
  });

  describe.each(KINDS)('a %s', (kind, word, nextId, infoById) => {
    test('has info with its id, its name and its BTF', () => {
      const { [kind]: object, btfId } = user.held;
      expect(infoById(object.id)).toMatchObject({ ...object, btfId });
    });

    test('is among the ids, which come in ascending order and end with null', () => {
      const ids = walk(nextId);
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      expect(ids).toContain(user.held[kind].id);
    });

    test.each([0, 0x7fff_0000, 0xffff_ffff])('is null for id %i, which no object has', (id) => {
      expect(infoById(id)).toBeNull();
    });

    test('has no id beyond the largest, after which the errno is EINVAL', () => {
      expect(nextId(2 ** 31 - 2)).toBeNull();
      expect(() => nextId(2 ** 31 - 1)).toThrow(
        expect.objectContaining({ code: 'EINVAL', command: `BPF_${word}_GET_NEXT_ID` }),
      );
    });

    test('is closed after its info was read', () => {
      const before = readdirSync('/proc/self/fd').length;
      for (let i = 0; i < 100; i++) infoById(user.held[kind].id);
      expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    });

    test('fails with EMFILE if the process has no fd left', async () => {
      const call = `native.${infoById.name}(${user.held[kind].id})`;
      const { stdout, stderr } = await runNode(
        `
        native.progGetNextId(0);
        try { for (;;) openSync('/dev/null'); } catch {}
        try { ${call}; } catch ({ command, code }) { console.log(command, code); }`,
        { wrapper: ['prlimit', '--nofile=64'] },
      );
      expect(stderr).toBe('');
      expect(stdout).toBe(`BPF_${word}_GET_FD_BY_ID EMFILE\n`);
    });
  });

  test('without BTF and without a name have 0 and an empty name', () => {
    const { id } = user.held.plainMap;
    expect(mapGetInfoById(id)).toEqual({ id, name: '', btfId: 0, btfKeyTypeId: 0, btfValueTypeId: 0 });
  });

  test('have the types of keys and values, as the map was created with', () => {
    const { map, globals, program } = user.held;
    expect(mapGetInfoById(map.id)).toMatchObject({ btfKeyTypeId: 1, btfValueTypeId: 4 });
    expect(mapGetInfoById(globals[0].id)).toMatchObject({ btfKeyTypeId: 0, btfValueTypeId: 3 });
    expect(progGetInfoById(program.id)).toMatchObject({ btfKeyTypeId: 0, btfValueTypeId: 0 });
  });

  test('that are gone have no info', async () => {
    const { held } = user;
    await user[Symbol.asyncDispose]();
    // The kernel frees them soon after their last fd is closed.
    for (let i = 0; i < 100 && progGetInfoById(held.program.id) !== null; i++) await sleep(10);
    for (let i = 0; i < 100 && mapGetInfoById(held.map.id) !== null; i++) await sleep(10);
    expect([progGetInfoById(held.program.id), mapGetInfoById(held.map.id)]).toEqual([null, null]);
    expect(walk(progGetNextId)).not.toContain(held.program.id);
  });
});
