import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kind } from '@btfd/btf';
import { needs } from 'test-tools';
import { btfctl, type Ran } from './testing/btfctl.js';
import { schemaErrors } from './testing/json-schema.js';
import { rawBtf } from './testing/sample-btf.js';

/** Two structs `task_struct` of type ids 5 and 7. Their `pid` is the same, and `ns` points to different structs. */
const DUPLICATES = fileURLToPath(new URL('../../btf/src/query/testdata/dupts.btf', import.meta.url));

/** The offsets of names: those of the base, then those of the split BTF, whose strings follow. */
const [INT, S, A, B, C, OPAQUE] = [1, 5, 7, 9, 11, 13];

/** `int` of type id 1, and `struct s { int a; int b; }` of type id 2. */
const BASE = rawBtf(
  [
    [INT, Kind.INT << 24, 4, 32],
    [S, (Kind.STRUCT << 24) | 2, 8, [A, 1, 0], [B, 1, 32]],
  ].flat(2),
  '\0int\0s\0a\0b\0',
);

/** `struct s`, in which `b` is at 0, `union s { int c; }`, `void s(void)`, and a declaration of `struct opaque`. */
const SPLIT = rawBtf(
  [
    [S, (Kind.STRUCT << 24) | 2, 8, [A, 1, 0], [B, 1, 0]], // 3
    [S, (Kind.UNION << 24) | 1, 4, [C, 1, 0]], // 4
    [0, Kind.FUNC_PROTO << 24, 0], // 5
    [S, (Kind.FUNC << 24) | 1, 5], // 6
    [OPAQUE, Kind.FWD << 24, 0], // 7
  ].flat(2),
  'c\0opaque\0',
);

describe('btfctl, for a name that several types have', () => {
  let dir: string;
  let base: string;
  let split: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-names-'));
    [base, split] = [join(dir, 'base.btf'), join(dir, 'split.btf')];
    writeFileSync(base, BASE);
    writeFileSync(split, SPLIT);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const run = (...args: string[]): Promise<Ran> =>
    btfctl(args, { BTFD_ADDRESS: 'unix:/nonexistent/btfd.sock' });
  const inSplit = (...args: string[]): Promise<Ran> => run(...args, '--in', split, '--base', base);

  test('member prints a result if all types that have the member agree', async () => {
    expect(await run('member', '--in', DUPLICATES, 'task_struct.pid')).toEqual({
      status: 0,
      stdout: 'PATH             OFFSET  BITS  TYPE\ntask_struct.pid       0    32  int\n',
      stderr: '',
    });
    expect(await inSplit('member', 's.a', 's.c')).toMatchObject({ status: 0, stderr: '' });
  });

  test('member shows the types otherwise, and a path for each that works', async () => {
    const ran = await inSplit('member', 's.b');
    expect(ran).toEqual({
      status: 3,
      stdout: '',
      stderr: [
        'btfctl: s.b differs in 3 types of one name: use one of these paths',
        '  PATH  TYPE             OFFSET  BITS  MEMBER',
        '  2.b   struct s (base)       4    32  int',
        '  3.b   struct s              0    32  int',
        '  4.b   union s               -     -  none',
        '',
      ].join('\n'),
    });
    expect((await inSplit('member', '2.b')).stdout).toContain('2.b        4    32  int\n');
    expect((await inSplit('member', 'union s.c', 'struct s.a')).status).toBe(0);
  });

  test('member prints the reason and the types as JSON', async () => {
    const ran = await inSplit('member', 's.b', 's.none', 'gone.x', '99.x', 's.a.x', 's.a', '-o', 'json');
    expect(schemaErrors('member', ran.stdout)).toEqual([]);
    expect(JSON.parse(ran.stdout)).toMatchObject([
      {
        path: 's.b',
        code: 'AMBIGUOUS',
        candidates: [
          {
            id: 2,
            type: 'struct s',
            in_base: true,
            path: '2.b',
            member: { bits_offset: 32, nr_bits: 32, type: 'int' },
          },
          { id: 3, in_base: false, path: '3.b', member: { bits_offset: 0 } },
          { id: 4, type: 'union s', path: '4.b', member: null },
        ],
        candidate_count: 3,
      },
      { path: 's.none', code: 'NO_SUCH_MEMBER' },
      { path: 'gone.x', code: 'NO_SUCH_TYPE' },
      { path: '99.x', code: 'NO_SUCH_TYPE' },
      { path: 's.a.x', code: 'NOT_A_STRUCT' },
      { path: 's.a', bits_offset: 0 },
    ]);
  });

  test('layout draws all of them with their ids, or those that a keyword or an id names', async () => {
    const titles = async (...names: string[]): Promise<string[]> =>
      (await inSplit('layout', ...names)).stdout
        .split('\n')
        .filter((line) => /^(?:struct|union) /.test(line));
    expect(await titles('s')).toEqual([
      'struct s (type id 3)  8 bytes, 1 cache line, 2 members, 4 bytes of padding',
      'union s (type id 4)  4 bytes, 1 cache line, 1 member',
    ]);
    expect(await titles('union s')).toEqual(['union s  4 bytes, 1 cache line, 1 member']);
    // A type of the base, too.
    expect(await titles('2')).toEqual(['struct s  8 bytes, 1 cache line, 2 members']);
    expect((await inSplit('layout', 'opaque')).stderr).toBe(
      'btfctl: "opaque" is declared, but not defined here\n',
    );
    expect((await inSplit('layout', 'int')).status).toBe(3);
  });

  test('find takes a keyword of C before a name, and suggests similar names', async () => {
    const kinds = async (...args: string[]): Promise<unknown> =>
      JSON.parse((await run('find', ...args, '--in', split, '--base', base, '-o', 'json')).stdout).map(
        ({ kind }: { readonly kind: string }) => kind,
      );
    expect(await kinds('struct s')).toEqual(['STRUCT']);
    expect(await kinds('union s', 'struct opaque')).toEqual(['UNION']);
    const { stderr, status } = await run('find', 'opaqeu', '--in', split, '--base', base);
    expect(stderr).toContain('; did you mean "opaque"?');
    expect(status).toBe(3);
  });

  test('find and diff take the same kinds', async () => {
    for (const kind of ['enum64', 'int']) {
      expect((await run('diff', base, base, '-k', kind)).stderr).not.toContain('is invalid');
    }
    expect(await run('diff', base, base, '-k', 'fwd')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('diff does not compare types of the kind fwd'),
    });
  });

  test('find takes an id, and says which object lacks it', async () => {
    expect((await inSplit('find', '2', '-o', 'json')).stdout).toContain('"name": "s"');
    expect(await inSplit('find', '99')).toEqual({
      status: 3,
      stdout: '',
      stderr: `btfctl: there is no type with id 99 in ${split}\n`,
    });
  });

  test.each(['dump', 'header', 'layout'])('%s says that there is no such id', async (command) => {
    const args = command === 'layout' ? ['99', '--in', DUPLICATES] : [DUPLICATES, '-t', '99'];
    expect(await run(command, ...args)).toEqual({
      status: 3,
      stdout: '',
      stderr: `btfctl: ${DUPLICATES} has no type 99: its largest type id is 9\n`,
    });
  });

  test('diff refuses an id, because ids of two kernels have nothing to do with each other', async () => {
    expect(await run('diff', DUPLICATES, DUPLICATES, '-t', '5')).toEqual({
      status: 2,
      stdout: '',
      stderr:
        'btfctl: --type 5 is a type id, but diff matches types by name\nhint: use the name of the type\n',
    });
  });

  needs('bpftool').test('-t with an id prints what bpftool prints with root_id', async () => {
    const bpftool = (...args: string[]): string =>
      execFileSync('bpftool', ['btf', 'dump', 'file', DUPLICATES, ...args], { encoding: 'utf8' });
    for (const id of ['5', '7']) {
      expect((await run('dump', DUPLICATES, '-t', id)).stdout).toBe(bpftool('root_id', id));
      expect((await run('header', DUPLICATES, '-t', id)).stdout).toBe(bpftool('root_id', id, 'format', 'c'));
    }
  });
});
