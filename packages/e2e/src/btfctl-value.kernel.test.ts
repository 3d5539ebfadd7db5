import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Builder } from '@btfd/btf';
import { btfctl, BTFCTL, type Ran } from './testing/btfctl.js';
import { BtfctlDaemon } from './testing/btfctl-daemon.js';
import { schemaErrors } from './testing/json-schema.js';

/** struct pair { int a; u64 b; float f; char name[4]; }, a typedef of it, two structs `twice`, and an unplaced section. */
function sampleBtf(): Uint8Array {
  const builder = new Builder({ deduplicate: false });
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const u64 = builder.add({ kind: 'INT', name: 'u64', size: 8, encoding: 0, bits: 64, bitOffset: 0 });
  const float = builder.add({ kind: 'FLOAT', name: 'float', size: 4 });
  const char = builder.add({ kind: 'INT', name: 'char', size: 1, encoding: 1, bits: 8, bitOffset: 0 });
  const name = builder.add({ kind: 'ARRAY', typeId: char, indexTypeId: int, nelems: 4 });
  const members = [
    ['a', int, 0] as const,
    ['b', u64, 64] as const,
    ['f', float, 128] as const,
    ['name', name, 160] as const,
  ].map(([member, typeId, bitOffset]) => ({ name: member, typeId, bitOffset, bitfieldSize: 0 }));
  const pair = builder.add({ kind: 'STRUCT', name: 'pair', size: 24, members });
  builder.add({ kind: 'TYPEDEF', name: 'pair', typeId: pair });
  for (const size of [4, 8]) builder.add({ kind: 'STRUCT', name: 'twice', size, members: [] });
  const variable = builder.add({ kind: 'VAR', name: 'v', typeId: int, linkage: 1 });
  builder.add({ kind: 'DATASEC', name: '.data', size: 0, vars: [{ typeId: variable, offset: 0, size: 4 }] });
  return builder.marshal();
}

const BYTES = Buffer.from('ffffffff00000000ffffffffffffffff0000807f41620000', 'hex');

describe('btfctl value', () => {
  let dir: string;
  let btf: string;
  let data: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-value-'));
    btf = join(dir, 'sample.btf');
    data = join(dir, 'data');
    writeFileSync(btf, sampleBtf());
    writeFileSync(data, BYTES);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const run = (...args: string[]): Promise<Ran> =>
    btfctl(['value', ...args], { BTFD_ADDRESS: 'unix:/nonexistent/btfd.sock' });
  const runWith = (input: string | Uint8Array, ...args: string[]): Ran => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [BTFCTL, 'value', ...args], { input });
    return { stdout: String(stdout), stderr: String(stderr), status };
  };

  test('prints text as libbpf does', async () => {
    expect(await run('struct pair', '--in', btf, '--data', data)).toEqual({
      status: 0,
      stderr: '',
      stdout: [
        '(struct pair){',
        '\t.a = (int)-1,',
        '\t.b = (u64)18446744073709551615,',
        '\t.f = (float)inf,',
        "\t.name = (char[4])[\n\t\t'A',\n\t\t'b',\n\t],",
        '}\n',
      ].join('\n'),
    });
    const flags = ['--compact', '--skip-names', '--emit-zeroes', '--emit-strings'];
    const { stdout } = await run('pair', '-i', btf, '-d', data, ...flags);
    expect(stdout).toBe('{-1,18446744073709551615,inf,"Ab",}\n');
  });

  test('prints JSON and YAML, with large integers as strings', async () => {
    const { stdout } = await run('struct pair', '--in', btf, '--data', data, '-o', 'json');
    expect(schemaErrors('value', stdout)).toEqual([]);
    expect(JSON.parse(stdout)).toEqual({
      type: 'struct pair',
      type_id: 6,
      missing_bytes: 0,
      extra_bytes: 0,
      value: { a: -1, b: '18446744073709551615', f: 'Infinity', name: 'Ab' },
    });
    expect((await run('pair', '--in', btf, '--data', data, '-o', 'yaml')).stdout).toContain(
      '  b: "18446744073709551615"\n',
    );
  });

  test.each([
    ['01 02 03 04', 'int'],
    ['0x01 0x02 0x03 0x04\n', 'int'],
    ['["0x01","0x02","0x03","0x04"]', 'int'],
    ['01020304', '1'],
  ])('reads bytes from standard input: %p', (input, type) => {
    expect(runWith(input, type, '--in', btf, '--hex')).toEqual({
      status: 0,
      stderr: '',
      stdout: '(int)67305985\n',
    });
  });

  test('reports bytes that are missing, and those that are too many', async () => {
    const short = runWith(BYTES.subarray(0, 20), 'pair', '--in', btf, '--compact');
    expect(short).toEqual({
      status: 1,
      stdout:
        '(pair){.a = (int)-1,.b = (u64)18446744073709551615,.f = (float)inf,.name = (char[4])<missing>,}\n',
      stderr: 'btfctl: the value of pair has 24 bytes, but there are only 20\n',
    });
    const json = runWith(BYTES.subarray(0, 20), 'pair', '--in', btf, '-o', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({ missing_bytes: 4, value: { name: null } });
    expect(await run('int', '--in', btf, '--data', data)).toEqual({
      status: 0,
      stdout: '(int)-1\n',
      stderr: 'btfctl: the value of int has 4 bytes, and 20 more follow it\n',
    });
  });

  test.each([
    ['nothing', [], 3, 'no type of FILE is named "nothing"'],
    ['pairs', [], 3, 'did you mean "pair"?'],
    ['union pair', [], 3, 'no type of FILE is named "pair"'],
    ['twice', [], 3, 'hint: use one of their ids: 8, 9'],
    ['99', [], 3, 'FILE has no type 99: its largest type id is 11'],
    ['', [], 2, 'the name of the type is empty'],
    ['.data', [], 1, 'section .data of FILE has no offsets yet'],
    ['5', ['--hex'], 1, 'is not hexadecimal'],
    ['int', ['--data', '-', '--base', '-'], 2, 'standard input cannot be both'],
    ['int', ['--data', '/nonexistent'], 3, 'there is no file /nonexistent'],
    ['int', ['-o', 'name'], 0, ''],
  ])('reports what is wrong with %p %p', async (type, args, status, message) => {
    const from = args.some((word) => word === '--data') ? [] : ['--data', data];
    const ran = await run(type, '--in', btf, ...from, ...args);
    expect(ran.status).toBe(status);
    expect(ran.stderr).toContain(message.replace('FILE', btf));
  });

  needs('bpf').test('uses the types of a node', async () => {
    await using daemon = await BtfctlDaemon.start();
    writeFileSync(data, BYTES.subarray(0, 16));
    const { stdout } = await daemon.run('value', 'struct list_head', '--data', data, '--compact');
    expect(stdout).toBe(
      '(struct list_head){.next = (struct list_head *)0xffffffff,.prev = (struct list_head *)0xffffffffffffffff,}\n',
    );
  });
});
