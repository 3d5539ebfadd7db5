import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Builder, FuncLinkage, Spec } from '@btfd/btf';
import { FakeDaemon } from '@btfd/client/testing';
import { type CliRun, runCli } from '../testing/run-cli.js';
import { writeSmallKernel } from '../testing/small-kernel.js';
import { withSafeNames } from './safe-names.js';

const AGENT = fileURLToPath(new URL('../compat/testdata/agent.bpf.o', import.meta.url));

/** A line that a name could forge, with the beginning of a colour. */
const HOSTILE = '\n[9] x\u001B[31m\t';
const HARMLESS = HOSTILE.replaceAll(/\p{Cc}/gu, '_');

/** Types of all kinds with names of other things in them. @param end of each name. */
function btfOf(end: string, size = 4): Uint8Array {
  const builder = new Builder();
  const name = (start: string): string => `${start}${end}`;
  const int = builder.add({ kind: 'INT', name: name('i'), size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  const tag = builder.add({ kind: 'TYPE_TAG', name: name('t'), typeId: int, attribute: false });
  const typeId = builder.add({ kind: 'PTR', typeId: tag });
  const members = [{ name: name('m'), typeId, bitOffset: 0, bitfieldSize: 0 }];
  const struct = builder.add({ kind: 'STRUCT', name: name('s'), size: size + 4, members });
  builder.add({ kind: 'DECL_TAG', name: name('d'), typeId: struct, componentIdx: -1, attribute: false });
  builder.add({
    kind: 'ENUM',
    name: name('e'),
    size: 4,
    signed: false,
    values: [{ name: name('v'), value: size }],
  });
  const proto = builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params: [{ name: name('p'), typeId }] });
  builder.add({ kind: 'FUNC', name: name('f'), typeId: proto, linkage: FuncLinkage.STATIC });
  return builder.marshal();
}

const ENCODING_C = 3;
const NAMES = ['i', 't', 's', 'd', 'e', 'f'];

describe('names with line breaks and control sequences', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-names-'));
    for (const [name, end] of [
      ['hostile', HOSTILE],
      ['harmless', HARMLESS],
    ] as const) {
      writeFileSync(join(dir, `${name}.btf`), btfOf(end));
      writeFileSync(join(dir, `${name}-other.btf`), btfOf(end, 12));
    }
    writeSmallKernel(join(dir, 'kernel'));
    writeFileSync(join(dir, 'bytes'), new Uint8Array(3));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** Runs a command on some of the files, and returns its output. */
  async function print(files: string, args: readonly string[], columns = 0): Promise<string> {
    return (await run(files, args, columns)).stdout;
  }

  async function run(files: string, args: readonly string[], columns = 0): Promise<CliRun> {
    const paths = args.map((arg) =>
      arg
        .replace(/^(?:FILE|OTHER)$/, (word) => join(dir, `${files}${word === 'FILE' ? '' : '-other'}.btf`))
        .replace(/^BYTES$/, join(dir, 'bytes')),
    );
    return runCli([...paths, '--color', 'never'], {}, columns);
  }

  const COMMANDS = [
    [['dump', 'FILE']],
    [['dump', 'FILE', 'format', 'c']],
    [['dump', 'FILE', 'format', 'layout']],
    [['dump', 'FILE', '-o', 'name']],
    [['header', 'FILE']],
    [['find', '*', '--in', 'FILE', '-o', 'wide']],
    [['find', '*', '--in', 'FILE', '-o', 'name']],
    [['layout', 's*', '--in', 'FILE']],
    [['find', '--sizes', '--in', 'FILE']],
    [['value', '4', '--in', 'FILE', '--data', 'BYTES']],
    [['diff', 'FILE', 'OTHER']],
    [['diff', 'FILE', 'OTHER', '-o', 'name']],
  ];

  test.each(COMMANDS)('forge no line in the text of %j', async (args) => {
    for (const columns of [0, 200]) {
      const text = await print('hostile', args, columns);
      // Tabs and line breaks are also those of the commands themselves.
      expect(text.replaceAll(/[\t\n]/g, '')).not.toMatch(/\p{Cc}/u);
      const expected = await print('harmless', args, columns);
      expect(text.split('\n').length).toBe(expected.split('\n').length);
      expect(text.match(/\t/g)?.length).toBe(expected.match(/\t/g)?.length);
    }
  });

  test('have no control sequences in the C that a daemon prints', async () => {
    const listen = `unix:${join(dir, 'btfd.sock')}`;
    await using daemon = await FakeDaemon.start({
      objects: [{ name: 'vmlinux', btf: btfOf(HOSTILE) }],
      listen,
    });
    for (const args of [['header'], ['dump', 'vmlinux', 'format', 'c']]) {
      const { status, stdout } = await runCli(args, { BTFD_ADDRESS: daemon.address });
      expect({ status, stdout }).toEqual({ status: 0, stdout: await print('hostile', ['header', 'FILE']) });
    }
    expect(daemon.callsOf('spec').map(({ request }) => request.encoding)).toEqual([ENCODING_C, ENCODING_C]);
    // The daemon of another machine sends BTF and no C.
    await using remote = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf: btfOf(HOSTILE) }] });
    await runCli(['header'], { BTFD_ADDRESS: remote.address });
    expect(remote.callsOf('spec').map(({ request }) => request.encoding)).not.toContain(ENCODING_C);
    expect(remote.callsOf('spec')).not.toHaveLength(0);
  });

  test.each([
    [['member', '4.none', '--in', 'FILE'], 'has no such member'],
    [['value', '4', '--in', 'FILE', '--data', 'BYTES'], 'but there are only '],
    [['value', '4', '--in', 'FILE', '--data', `none${HOSTILE}`], 'no file'],
    [[`lis${HOSTILE}`], 'unknown command'],
    [['find', 'x', '--kind', HOSTILE], 'is invalid'],
  ])('forge no message of %j on standard error', async (args, message) => {
    const { stderr } = await run('hostile', args);
    expect(stderr).toContain(message);
    expect(stderr.replaceAll(/[\t\n]/g, '')).not.toMatch(/\p{Cc}/u);
    for (const line of stderr.trimEnd().split('\n')) expect(line).toMatch(/^(?:btfctl: |hint: | {2})/);
  });

  test('are whole with -0', async () => {
    const names = NAMES.map((name) => `${name}${HOSTILE}\0`);
    expect(await print('hostile', ['find', '*', '--in', 'FILE', '-o', 'name', '-0'])).toBe(names.join(''));
    expect(await print('hostile', ['dump', 'FILE', '-o', 'name', '--null'])).toBe(names.join(''));
    expect(await print('hostile', ['layout', 's*', '--in', 'FILE', '-0o', 'name'])).toBe(names[2]);
    expect(await print('hostile', ['diff', 'FILE', 'OTHER', '-0', '-o', 'name'])).toBe(
      `~ struct ${names[2]}~ enum ${names[4]}`,
    );
    await using daemon = await FakeDaemon.start({ objects: [{ name: `mod${HOSTILE}`, btf: btfOf('') }] });
    const listed = await runCli(['list', '-o', 'name', '-0'], { BTFD_ADDRESS: daemon.address });
    expect(listed).toMatchObject({ status: 0, stdout: `mod${HOSTILE}\0` });
  });

  test('have no effect on a terminal, with -0 either', async () => {
    const text = await print('hostile', ['find', '*', '--in', 'FILE', '-o', 'name', '-0'], 200);
    expect(text.match(/\n/g)?.length).toBe(NAMES.length);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  test('of files are those of find -print0', async () => {
    const folder = join(dir, 'objects');
    mkdirSync(folder);
    for (const name of [`a${HOSTILE.trim()}.o`, 'b\n\n.o', 'c d.o']) copyFileSync(AGENT, join(folder, name));
    const found = execFileSync('find', [folder, '-type', 'f', '-printf', '%f\\0'], { encoding: 'utf8' });
    const args = ['compat', folder, '--on', join(dir, 'kernel'), '--program', 'moved', '-o', 'name'];
    const { stdout } = await runCli([...args, '-0']);
    expect(stdout.split('\0').toSorted()).toEqual(found.split('\0').toSorted());
    expect((await runCli(args)).stdout.split('\n')).toHaveLength(4);
  });

  test.each([[['list', '-0']], [['find', 'x', '-0', '-o', 'json']], [['dump', '-0', 'x.btf']]])(
    '-0 is refused without -o name: %j',
    async (args) => {
      const ran = await runCli(args);
      expect(ran).toMatchObject({ status: 2, stdout: '' });
      expect(ran.stderr).toContain('-0 is for names: use -0 with -o name');
    },
  );
});

test('names without control characters stay, also beside those of a base that has some', () => {
  const harmless = Spec.parse(btfOf('é'));
  expect(withSafeNames(harmless)).toBe(harmless);
  const base = Spec.parse(btfOf(HOSTILE));
  const builder = new Builder({ base });
  builder.add({ kind: 'TYPEDEF', name: 'own\u007F', typeId: 4 });
  const split = withSafeNames(builder.toSpec());
  expect([split.nameOf(4), split.nameOf(split.firstTypeId)]).toEqual(['s?[9] x?[31m?', 'own?']);
  expect(base.nameOf(4)).toBe(`s${HOSTILE}`);
});
