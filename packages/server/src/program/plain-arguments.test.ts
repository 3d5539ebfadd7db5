import { describe, expect, test } from '@jest/globals';
import { flagOf } from '../config/setting.js';
import { SETTINGS } from '../config/settings.js';
import { parseCommandLine } from './command-line.js';
import { readPlainArguments } from './plain-arguments.js';

const ENV = { BTFD_MAX_TTL: '1m' };

describe('Plain arguments', () => {
  const valued = SETTINGS.filter(({ kind }) => kind.placeholder !== null).map((setting) => flagOf(setting));
  const lists = SETTINGS.filter(({ kind }) => kind.isList).map((setting) => flagOf(setting));

  test.each<[string[]]>([
    [[]],
    [['serve']],
    ...valued.flatMap((flag): [string[]][] => [
      [[flag, 'a=b']],
      [['serve', `${flag}=a=b`]],
      [[`${flag}=`]],
      [[flag, '']],
    ]),
    ...lists.map((flag): [string[]] => [[flag, 'one', '--max-ttl', '1s', `${flag}=two`]]),
    [valued.flatMap((flag) => [flag, 'value'])],
    [['--max-ttl=-1']],
  ])('%j are read as by the whole grammar', (args) => {
    const plain = readPlainArguments(args, ENV);
    expect(plain).not.toBeNull();
    expect(plain).toEqual(parseCommandLine(args, ENV));
  });

  test.each<[string[]]>([
    [['--help']],
    [['--version']],
    [['--show']],
    [['--config', '/x']],
    [['--insecure']],
    [['--no-insecure']],
    [['config', 'check']],
    [['certs', 'init', '/x']],
    [['--log-level', 'debug', 'serve']],
    [['--unknown', 'x']],
    [['--listen']],
    [['--listen', '--max-ttl']],
    [['--max-ttl', '1s', '--max-ttl=1s']],
    [['--max-handles-per-principal', '1']],
    [['--', '--max-ttl', '1s']],
    [['']],
    [['serve', 'serve']],
  ])('%j are left to it', (args) => {
    expect(readPlainArguments(args, ENV)).toBeNull();
  });
});
