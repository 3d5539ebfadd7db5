import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Builder, FuncLinkage, type TypeId } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import { btfctl, type Ran } from './testing/btfctl.js';
import { schemaErrors } from './testing/json-schema.js';

type Named = readonly [name: string, typeId: TypeId];

function addStruct(builder: Builder, name: string, size: number, ...members: readonly Named[]): TypeId {
  const each = (size * 8) / Math.max(1, members.length);
  return builder.add({
    kind: 'STRUCT',
    name,
    size,
    members: members.map(([member, typeId], at) => ({
      name: member,
      typeId,
      bitOffset: at * each,
      bitfieldSize: 0,
    })),
  });
}

function addFunction(
  builder: Builder,
  name: string,
  returnTypeId: TypeId,
  ...params: readonly Named[]
): void {
  const typeId = builder.add({
    kind: 'FUNC_PROTO',
    returnTypeId,
    params: params.map(([param, type]) => ({ name: param, typeId: type })),
  });
  builder.add({ kind: 'FUNC', name, typeId, linkage: FuncLinkage.STATIC });
}

const kernel = new Builder();
const long = kernel.add({ kind: 'INT', name: 'long', size: 8, encoding: 1, bits: 64, bitOffset: 0 });
const char = kernel.add({ kind: 'INT', name: 'char', size: 1, encoding: 1, bits: 8, bitOffset: 0 });
const node = addStruct(kernel, 'node', 8, ['value', long]);
const nodeType = kernel.add({ kind: 'TYPEDEF', name: 'node_t', typeId: node });
const pointer = kernel.add({ kind: 'PTR', typeId: node });
const inner = addStruct(kernel, '', 16, ['first', nodeType], ['next', pointer]);
const task = addStruct(kernel, 'task', 32, ['', inner], ['other', pointer]);
addStruct(kernel, 'loose', 24, ['a', char], ['b', long], ['c', char]);
addFunction(kernel, 'node_new', pointer, ['count', long]);
addFunction(kernel, 'node_add', long, ['to', pointer], ['added', pointer]);
const vmlinux = kernel.toSpec();
const split = new Builder({ base: vmlinux });
addStruct(split, 'mod_task', 32, ['task', task]);

let daemon: FakeDaemon;
let folder: string;
let file: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'btfctl-uses-'));
  file = join(folder, 'vmlinux.btf');
  writeFileSync(file, vmlinux.bytes);
  const objects = [
    { name: 'vmlinux', btf: vmlinux.bytes },
    { name: 'mod', btf: split.marshal() },
  ];
  daemon = await FakeDaemon.start({ objects });
});
afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true });
});

const find = (...args: readonly string[]): Promise<Ran> =>
  btfctl(['find', ...args], { BTFD_ADDRESS: daemon.address });

/** The rows of the table, without the heading. */
const rows = async (...args: readonly string[]): Promise<string[]> => {
  const { stdout, stderr, status } = await find(...args);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.replaceAll(/ +/g, ' ').trim());
};

describe('btfctl find shows', () => {
  test('the members that contain a type, with their paths and places', async () => {
    expect(await rows('--contains', 'node')).toEqual(['vmlinux task.first 0 node_t']);
    expect(await rows('--contains', 'node', '--nested')).toEqual([
      'vmlinux task.first 0 node_t',
      'mod mod_task.task.first 0 node_t',
    ]);
  });

  test('the members that point to a type, in a file too', async () => {
    const expected = ['task.next 8 struct node *', 'task.other 16 struct node *'];
    expect(await rows('--points-to', 'struct node')).toEqual(expected.map((row) => `vmlinux ${row}`));
    expect(await rows('--points-to', 'node', '--in', file)).toEqual(expected.map((row) => `${file} ${row}`));
  });

  test('the functions that take or return a type, with positions from 1', async () => {
    expect(await rows('--takes', 'node')).toEqual([
      'vmlinux node_add 1 to struct node *',
      'vmlinux node_add 2 added struct node *',
    ]);
    expect(await rows('--returns', 'node')).toEqual(['vmlinux node_new struct node *']);
  });

  test('sizes with holes, largest first, and the structs that can be smaller', async () => {
    expect(await rows('--sizes')).toEqual([
      'vmlinux task 32 0 0 8',
      'mod mod_task 32 0 0 0',
      'vmlinux loose 24 1 7 7',
      'vmlinux node 8 0 0 0',
    ]);
    expect(await rows('--packable', 'loo*', 'l*', '-k', 'struct')).toEqual(['vmlinux loose 24 16 8 1 7']);
  });

  test.each([
    ['--contains', 'node', 'member'],
    ['--points-to', 'node', 'member'],
    ['--takes', 'node', 'parameter'],
    ['--returns', 'node', 'result'],
    ['--sizes', '*', 'room'],
    ['--packable', '*', 'room'],
  ])('data for %s %s that follows the schema', async (option, value, key) => {
    const { stdout } = await find(option, value, '-o', 'json');
    expect(schemaErrors('find', stdout)).toEqual([]);
    expect(JSON.parse(stdout)[0]).toHaveProperty(key);
  });

  test('names once', async () => {
    expect((await find('--takes', 'node', '-o', 'name')).stdout).toBe('node_add\n');
  });
});

describe('btfctl find exits with', () => {
  test.each([
    [['--contains', 'nod'], 3, 'there is no type named nod; did you mean "node"?'],
    [['--contains', 'loose'], 3, 'no struct or union contains loose\n'],
    [['--takes', 'char', '--in', 'vmlinux'], 3, 'no function takes char in vmlinux\n'],
    [['--returns', 'node', 'x*'], 3, 'no function returns node among those named x*\n'],
    [['--sizes', '--contains', 'node'], 2, "'--contains <type>' cannot be used with option '--sizes'"],
    [['--nested', 'node'], 2, '--nested needs --contains or --points-to'],
    [[], 2, 'find needs a name, or one of --contains,'],
    [['--packable', '-k', 'func'], 2, 'this search never finds types of kind func\n'],
    [['--packable', '-k', 'union'], 2, 'hint: leave out --kind, or use --kind struct\n'],
    [['--sizes', '-k', 'typedef'], 2, 'use --kind struct or union\n'],
    [['--takes', 'node', '-k', 'struct'], 2, 'this search never finds types of kind struct\n'],
    [['--returns', 'node', '-k', 'int'], 2, 'use --kind func\n'],
    [['--points-to', 'node', '-k', 'func'], 2, 'use --kind struct or union or typedef\n'],
    [
      ['--contains', 'node', '-k', 'union'],
      3,
      'no struct or union contains node among those of kind union\n',
    ],
    [['--sizes', '['], 2, 'invalid glob'],
  ] as const)('%j: %d', async (args, status, message) => {
    const ran = await find(...args);
    expect(ran).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(message) });
  });

  test('3 if one of the names has no result, after the results of the others', async () => {
    const ran = await find('--sizes', 'node', 'gone', '-o', 'name');
    expect(ran).toMatchObject({ status: 3, stdout: 'node\n' });
    expect(ran.stderr).toContain('named gone');
  });
});
