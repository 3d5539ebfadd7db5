import { chmodSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { parsePolicy, readPolicyFile } from './policy-file.js';
import { readPolicy } from './policy-options.js';

describe('A policy', () => {
  test('gives roles to principals, the highest if one is in several lists', () => {
    const { roles, commonNames, defaults } = parsePolicy(
      [
        '# who may do what',
        'viewers: [gid:27, "dns:Agent.Example.org", uid:5]',
        'inspectors:',
        '  - uid:1000',
        '  - uri:spiffe://example.org/agent # with a comment',
        'loaders: [cn:builder, uid:5]',
        'commonNames: true',
        'defaults: false',
      ].join('\n'),
      'policy.yaml',
    );
    expect(Object.fromEntries(roles)).toEqual({
      'gid:27': 'viewer',
      'dns:agent.example.org': 'viewer',
      'uid:5': 'loader',
      'uid:1000': 'inspector',
      'uri:spiffe://example.org/agent': 'inspector',
      'cn:builder': 'loader',
    });
    expect([commonNames, defaults]).toEqual([true, false]);
  });

  test.each(['', '# nothing\n', '---\n', '{}', 'viewers: []'])('%j is empty', (text) => {
    expect(parsePolicy(text, 'p')).toEqual({ roles: new Map(), commonNames: false, defaults: true });
  });

  test.each([
    [
      'a list at the top',
      '- uid:1',
      'p:1: expected a map with the keys viewers, inspectors, loaders, commonNames, defaults',
    ],
    [
      'an unknown key',
      'viewers: []\nadmins: []',
      'p:2: unknown key "admins": use viewers, inspectors, loaders, commonNames, defaults',
    ],
    ['an unknown role', '\n\nloader: [uid:1]', 'p:3: unknown key "loader"; did you mean loaders?'],
    ['a key in another case', 'Viewers: []', 'p:1: unknown key "Viewers"; did you mean viewers?'],
    ['a key that is a list', '? [viewers]\n: []', 'p:1: unknown key "[\\"viewers\\"]"'],
    ['a key twice', 'viewers: []\nviewers: [uid:1]', 'p:2: Map keys must be unique'],
    ['one principal in place of a list', 'viewers:\n  uid:1', 'p:2: viewers: must be a list of principals'],
    ['an empty list', 'viewers:', 'p:1: viewers: must be a list of principals'],
    ['a map in place of a list', 'loaders:\n  uid: 1', 'p:2: loaders: must be a list of principals'],
    ['a bad principal', 'viewers:\n  - uid:1\n  - root\n', 'p:3: viewers[1]: "root" is not a principal'],
    ['a name in place of a number', 'viewers: ["uid:root"]', 'p:1: viewers[0]: "root" is not a uid'],
    ['a number alone', 'viewers:\n- 1000', 'p:2: viewers[0]: must be a principal, such as uid:1000'],
    ['a principal with a space', 'loaders:\n- uid: 1000', 'p:2: loaders[0]: must be a principal'],
    ['nothing in a list', 'viewers: [~]', 'p:1: viewers[0]: must be a principal'],
    ['a wildcard', 'viewers: ["dns:*.a.b"]', 'p:1: viewers[0]: "*.a.b" has a wildcard'],
    ['a common name that does not count', 'loaders: [cn:x]', 'p:1: loaders[0]: common names do not count'],
    ['a switch that is another word', 'defaults: yes', 'p:1: defaults: must be true or false'],
    ['an empty switch', 'commonNames:', 'p:1: commonNames: must be true or false'],
    ['an alias', 'viewers: &a [uid:1]\nloaders: *a', 'p:2: loaders: must be a list of principals'],
    ['invalid YAML', 'viewers: [uid:1\nloaders: }', 'p:2: '],
    ['a second document', 'viewers: []\n---\nloaders: [uid:1]', 'p:2: '],
    ['a tab', 'viewers:\n\t- uid:1', 'p:2: '],
  ])('with %s is refused, with file, line and key', (_, text, message) => {
    expect(() => parsePolicy(text, 'p')).toThrow(message);
  });

  test('reports every problem, each on a line', () => {
    const text = 'viewers: [root, uid:1]\nowners: []\nloaders: [uid:x]';
    const expected = ['p:1: viewers[0]:', 'p:2: unknown key "owners"', 'p:3: loaders[0]:'];
    try {
      parsePolicy(text, 'p');
      throw new Error('accepted');
    } catch (error) {
      const lines = error instanceof Error ? error.message.split('\n') : [];
      expect(lines).toEqual(expected.map((line): unknown => expect.stringContaining(line)));
    }
  });
});

describe('A policy file', () => {
  test('is refused with its name if it is missing, a folder or too large', async () => {
    using dir = new TempDir();
    const large = dir.write('large.yaml', '#'.repeat(1024 * 1024 + 1));
    await expect(readPolicyFile(`${dir.path}/none.yaml`)).rejects.toThrow(
      /^cannot use the policy .*\/none\.yaml: ENOENT: /,
    );
    await expect(readPolicyFile(dir.path)).rejects.toThrow(`${dir.path} is a folder, not a regular file`);
    await expect(readPolicyFile(large)).rejects.toThrow('large.yaml has more than 1048576 bytes');
  });

  test('is refused if every user may write to it', async () => {
    using dir = new TempDir();
    const file = dir.write('policy.yaml', 'viewers: [uid:1]');
    chmodSync(file, 0o646);
    await expect(readPolicyFile(file)).rejects.toThrow(
      `cannot use the policy ${file}: the file ${file} is writable by every user, with mode 0646: chmod o-w ${file}`,
    );
    chmodSync(file, 0o644);
    expect((await readPolicyFile(file)).roles.get('uid:1')).toBe('viewer');
  });

  test('is merged with the lists in options', async () => {
    using dir = new TempDir();
    const file = dir.write('policy.yaml', 'viewers: [uid:1, uid:2]');
    const policy = await readPolicy({ file, loaders: ['uid:2'], inspectors: ['uid:3'] }, 990);
    const roles = [1, 2, 3].map((uid) =>
      policy.roleOf({ kind: 'unix', pid: 1, uid, gids: [], socketGid: 50 }),
    );
    expect(roles).toEqual(['viewer', 'loader', 'inspector']);
  });

  test('with a bad principal in a list is refused with the name of the list', async () => {
    await expect(readPolicy({ inspectors: ['uid:1', 'nobody'] }, 990)).rejects.toThrow(
      'inspectors: "nobody" is no',
    );
    await expect(readPolicy({ loaders: ['cn:x'] }, 990)).rejects.toThrow(
      'loaders: common names do not count',
    );
    await expect(readPolicy({ loaders: ['cn:x'], commonNames: true }, 990)).resolves.toBeDefined();
  });
});
