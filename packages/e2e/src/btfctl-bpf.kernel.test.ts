import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { FakeDaemon } from '@btfd/client/testing';
import { needs } from 'test-tools';
import { BtfUser } from './testing/btf-user.js';
import { btfctl, type Ran } from './testing/btfctl.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { hintedCommand } from './testing/hint.js';
import { schemaErrors } from './testing/json-schema.js';
import { intBtf } from './testing/sample-btf.js';

const bpftool = (...args: string[]): string =>
  execFileSync('bpftool', args, { encoding: 'utf8', stdio: 'pipe' });

needs('bpf').describe('btfctl dump', () => {
  let daemon: DaemonProcess;
  let user: BtfUser;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    env = { BTFD_ADDRESS: daemon.address };
    user = await BtfUser.start();
  });
  afterAll(async () => {
    await user[Symbol.asyncDispose]();
    await daemon[Symbol.asyncDispose]();
  });

  const run = (...args: string[]): Promise<Ran> => btfctl(['dump', ...args], env);
  const dump = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, status } = await run(...args);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    return stdout;
  };
  /** Returns the words of an object of the user: `map id 7`. */
  const words = {
    program: () => ['prog', 'id', String(user.facts.program.id)],
    map: () => ['map', 'id', String(user.facts.map.id)],
    globals: () => ['map', 'id', String(user.facts.globals[0].id)],
  };

  needs('bpftool').describe.each<[name: keyof typeof words, types: string[]]>([
    ['program', []],
    ['map', []],
    ['map', ['key']],
    ['map', ['value']],
    ['map', ['kv']],
    ['map', ['all']],
    // A map of global variables has no type of keys.
    ['globals', []],
    ['globals', ['key']],
    ['globals', ['value']],
    ['globals', ['kv']],
    ['globals', ['all']],
  ])('of a %s, %j, prints what bpftool prints', (name, types) => {
    test.each([[[]], [['format', 'raw']], [['format', 'c']], [['format', 'c', 'unsorted']]])(
      '%j',
      async (format) => {
        const source = [...words[name](), ...types, ...format];
        expect(await dump(...source)).toBe(bpftool('btf', 'dump', ...source));
      },
    );

    test('json, which matches its schema', async () => {
      const source = [...words[name](), ...types];
      const ours = await dump(...source, '-o', 'json');
      expect(ours.replaceAll('\n', '')).toBe(bpftool('-j', 'btf', 'dump', ...source).trim());
      expect(schemaErrors('dump', ours)).toEqual([]);
    });
  });

  test('takes names, ids alone, and other options with them', async () => {
    const { program, map } = user.facts;
    const [ofProgram, ofMap] = [await dump(...words.program()), await dump(...words.map())];
    for (const object of [['name', program.name], [program.name], [String(program.id)]])
      expect(await dump('prog', ...object)).toBe(ofProgram);
    for (const object of [['name', map.name], [map.name], [`id:${map.id}`]])
      expect(await dump('map', ...object)).toBe(ofMap);
    expect(await dump('map', map.name, 'all', '--type', 'owner', '--format', 'layout')).toContain(
      'struct owner {',
    );
    expect(await dump('prog', program.name, 'root_id', '1')).toBe(await dump('map', map.name, 'key'));
  });

  needs('bpftool').test(
    'takes the long name of a program, as bpftool, and no other with its beginning',
    async () => {
      const { program, functionName, map } = user.facts;
      const named = ['prog', 'name', functionName];
      expect(await dump(...named)).toBe(bpftool('btf', 'dump', ...named));
      for (const name of [`${program.name}_other_tail`, `${functionName}_2`, functionName.slice(0, -1)]) {
        const failed = await run('prog', 'name', name);
        expect(failed).toMatchObject({ status: 3, stdout: '' });
        expect(failed.stderr).toContain(`no program with BTF has the name "${name}"`);
        expect(() => bpftool('btf', 'dump', 'prog', 'name', name)).toThrow();
      }
      const long = `${map.name.padEnd(15, '_')}x`;
      const failed = await run('map', 'name', long);
      expect(failed).toMatchObject({ status: 2, stdout: '' });
      expect(failed.stderr).toContain(`"${long}" is not the name of a map: it has more than 15 characters\n`);
      expect(() => bpftool('btf', 'dump', 'map', 'name', long)).toThrow("can't parse name");
      expect(await btfctl(hintedCommand(failed), env)).toMatchObject({ status: 0 });
    },
  );

  test('says what to write for a program or a map that is not named, or not alone', async () => {
    const { program, map } = user.facts;
    const lines = {
      prog: [
        ['dump', 'prog'],
        ['dump', 'prog', 'format', 'c'],
        ['header', 'prog', '7'],
        ['dump', 'vmlinux', 'prog', 'id', '7'],
      ],
      map: [
        ['dump', 'map'],
        ['header', 'map', 'id', '7'],
        ['header', 'vmlinux', 'map', 'id', '7'],
      ],
    };
    for (const [kind, id] of [
      ['prog', program.id],
      ['map', map.id],
    ] as const)
      for (const line of lines[kind]) {
        const failed = await btfctl(line, env);
        expect(failed).toMatchObject({ status: 2, stdout: '' });
        expect(failed.stderr).toContain(`"${kind}" is not a SPEC\n`);
        const followed = await btfctl(hintedCommand(failed, { ID: String(id) }), env);
        expect(followed.stdout).toBe(await dump(kind, 'id', String(id)));
      }
  });

  test('completes names and ids that begin with the same digits, and only options that can follow', async () => {
    const { map, globals } = user.facts;
    const complete = async (...line: string[]): Promise<string[]> => {
      const typed = line.pop() ?? '';
      const completion = { ...env, BTFCTL_COMPLETION_TIMEOUT: '5m' };
      const { stdout } = await btfctl(['__complete', 'fish', typed, 'dump', ...line], completion);
      return stdout
        .split('\n')
        .slice(1, -1)
        .map((word) => word.split('\t')[0] ?? '');
    };
    // `18551.bss`, of two maps.
    const { id, name } = globals[0];
    expect(await complete('map', name.slice(0, -4))).toContain(name);
    expect(await complete('map', String(id))).toContain(String(id));
    expect(await complete('map', 'id', name.slice(0, -1))).toEqual([]);
    expect(await complete('map', 'name', name.slice(0, -1))).toEqual([name]);
    // Each word that is offered is accepted.
    for (const types of [[], ['kv'], ['all']]) {
      const chosen = ['map', map.name, ...types];
      const offered = await complete(...chosen, '');
      for (const word of offered) {
        const value = word === 'format' ? ['raw'] : word === 'root_id' ? ['1'] : [];
        expect(await dump(...chosen, word, ...value)).not.toBe('');
      }
      expect(offered.includes('root_id')).toBe(types[0] === 'all');
      const options = await complete(...chosen, '--');
      for (const option of ['--type', '--root-id', '--closure'])
        expect(options.includes(option)).toBe(types[0] === 'all');
      const unknown = await run(...chosen, 'nosuch');
      expect(unknown).toMatchObject({ status: 2 });
      expect(unknown.stderr).toContain(`these words can follow: ${offered.join(', ')}\n`);
    }
    expect(await complete('prog', '7', '--')).toContain('--type');
  });

  test('refuses what does not exist, and its hints lead there', async () => {
    const { map, plainMap, program, globals } = user.facts;
    const follow = async (failed: Ran, values: Record<string, string> = {}): Promise<string> => {
      const followed = await btfctl(hintedCommand(failed, values), env);
      expect(followed).toMatchObject({ status: 0, stderr: '' });
      return followed.stdout;
    };
    const plain = await run('map', String(plainMap.id));
    expect(plain).toMatchObject({ status: 3, stdout: '' });
    expect(plain.stderr).toContain(`btfctl: no map with BTF has the id ${plainMap.id}\n`);
    expect(await follow(plain)).toContain(`${map.name}(${map.id})`);
    // A map is not a program.
    const none = await run('prog', map.name);
    expect(none.stderr).toContain(`no program with BTF has the name "${map.name}"`);
    expect(await follow(none)).toContain(`${program.name}(${program.id})`);

    const [first, second] = globals;
    const several = await run('map', first.name, 'all');
    expect(several.status).toBe(3);
    expect(several.stderr).toContain(`2 maps have the name "${first.name}": ${first.id}, ${second.id}\n`);
    expect(await follow(several, { ID: String(second.id) })).toContain('DATASEC');
  });

  test('refuses to choose types among those of the keys and values', async () => {
    const { map } = user.facts;
    for (const choice of [
      ['--type', 'owner'],
      ['--root-id', '1'],
      ['root_id', '1'],
    ]) {
      const failed = await run('map', map.name, ...choice);
      expect(failed).toMatchObject({ status: 2, stdout: '' });
      expect(failed.stderr).toContain('hint: use them with `all`: `btfctl dump map … all`');
      expect(await dump('map', map.name, 'all', ...choice)).toMatch(/^\[\d\] /);
    }
  });

  needs('setpriv').test('says why a daemon cannot list programs', async () => {
    await using weak = await DaemonProcess.start({ wrapper: ['setpriv', '--bounding-set=-sys_admin'] });
    const failed = await btfctl(['dump', ...words.program()], { BTFD_ADDRESS: weak.address });
    expect(failed).toMatchObject({ status: 7, stdout: '' });
    expect(failed.stderr).toContain('CAP_SYS_ADMIN');
  });
});

describe('btfctl dump map of an older daemon', () => {
  test('says that the daemon does not report the types, and how to print all', async () => {
    const maps = [{ id: 7, name: 'counters' }];
    await using daemon = await FakeDaemon.start({ objects: [{ btf: intBtf(1, 'number'), users: { maps } }] });
    const env = { BTFD_ADDRESS: daemon.address };
    for (const types of [[], ['key'], ['value'], ['kv']]) {
      const failed = await btfctl(['dump', 'map', 'counters', ...types], env);
      expect(failed).toMatchObject({ status: 1, stdout: '' });
      expect(failed.stderr).toContain('the daemon is too old to report the types of map name "counters"\n');
      const { stdout, status } = await btfctl(hintedCommand(failed), env);
      expect({ stdout, status }).toEqual({
        stdout: "[1] INT 'number' size=4 bits_offset=0 nr_bits=32 encoding=(none)\n",
        status: 0,
      });
    }
  });

  test('refuses a type that the BTF does not have', async () => {
    const maps = [{ id: 7, name: 'counters', keyTypeId: 1, valueTypeId: 99 }];
    await using daemon = await FakeDaemon.start({ objects: [{ btf: intBtf(1, 'number'), users: { maps } }] });
    const failed = await btfctl(['dump', 'map', '7'], { BTFD_ADDRESS: daemon.address });
    expect(failed).toMatchObject({ status: 3, stdout: '' });
    expect(failed.stderr).toContain('has no type 99');
  });
});
