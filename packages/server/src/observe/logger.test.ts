import { describe, expect, jest, test } from '@jest/globals';
import { Metadata, setLogger } from '@grpc/grpc-js';
import { bpfError, verifierLog } from '../testing/fake-kernel.js';
import type { LogFormat } from '../config/settings.js';
import { logLines } from '../testing/log-lines.js';
import { makeLog, takeGrpcLog } from './logger.js';

/** Returns the text of one line. */
async function written(
  format: LogFormat,
  fields: Record<string, unknown>,
  { message = 'hello', isTTY = false, toJournal = false } = {},
): Promise<string> {
  let text = '';
  const stream = {
    writableLength: 0,
    write(line: string, done: () => void) {
      text += line;
      done();
    },
    on: () => {},
    isTTY,
  };
  const { logger } = await makeLog({ level: 'info', format, stream, toJournal });
  logger.info(fields, message);
  return text;
}

/** Text that a client may send to imitate a line, or to control a terminal. */
const HOSTILE = 'x\n{"level":60,"msg":"forged"}\r\n\u001b[2J\u0007\u009b31m\u202e\u2028';

describe('A log line', () => {
  test('is pretty on a terminal, and JSON elsewhere', async () => {
    expect(JSON.parse(await written('auto', { a: 1 }))).toMatchObject({ level: 'info', a: 1, msg: 'hello' });
    expect(await written('auto', { a: 1 }, { isTTY: true })).toContain('\u001b[');
    expect(JSON.parse(await written('json', {}, { isTTY: true }))).toMatchObject({ msg: 'hello' });
    expect(await written('pretty', { a: 1 })).toMatch(/^\[\d\d:\d\d:\d\d\.\d+\] INFO: hello \{"a":1\}\n$/);
  });

  test('has the level as a word and the time of RFC 3339', async () => {
    const before = Date.now();
    const { level, time } = JSON.parse(await written('json', {}));
    expect(level).toBe('info');
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Date.parse(time)).toBeGreaterThanOrEqual(before);
  });

  test('that is pretty has the outcome of a call in its message, and is one line', async () => {
    const call = {
      service: 'btf.v1.BtfService',
      method: 'Spec',
      code: 'OK',
      durationMs: 1.25,
      principal: 'uid:0',
    };
    expect(await written('pretty', call, { message: 'call' })).toMatch(
      / INFO: call Spec OK 1\.25 ms \{"principal":"uid:0"\}\n$/,
    );
  });

  test('that journald reads begins with a priority', async () => {
    expect(await written('json', {}, { toJournal: true })).toMatch(/^<6>\{"level":"info",/);
    expect(await written('pretty', {}, { toJournal: true })).toMatch(/^<6>\[/);
  });

  test('as JSON is always one line', async () => {
    const text = await written('json', { name: HOSTILE }, { message: HOSTILE });
    expect(text.split('\n')).toHaveLength(2);
    expect(JSON.parse(text)).toMatchObject({ name: HOSTILE, msg: HOSTILE });
  });

  test.each([
    ['a field', { path: HOSTILE }],
    ['the logger’s name', { name: HOSTILE }],
    ['a key', { [HOSTILE]: 1 }],
    ['a list', { names: [HOSTILE] }],
    ['a field of a field', { a: { b: { c: HOSTILE } } }],
    ['an error', { err: Object.assign(new Error(HOSTILE), { stack: `Error: ${HOSTILE}`, code: HOSTILE }) }],
  ])('that is pretty has no control characters of %s, and cannot imitate another line', async (_, fields) => {
    const text = await written('pretty', fields);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    const [first, ...rest] = text.trimEnd().split('\n');
    expect(first).toMatch(/ INFO.*: hello ?(?:\{.*\})?$/);
    expect(rest.filter((line) => !line.startsWith('    '))).toEqual([]);
  });

  test('that is pretty has no control characters of its message', async () => {
    const text = await written('pretty', {}, { message: HOSTILE });
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  });

  test('has no field of more than a kilobyte', async () => {
    const line = JSON.parse(await written('json', { name: 'n'.repeat(1 << 20) }));
    expect(line.name).toBe(`${'n'.repeat(1023)}…`);
  });

  test('has type, message, code and stack of an error, cut to a limit, and no other properties', async () => {
    const log = verifierLog('what the verifier says of somebody’s BTF');
    const err = Object.assign(bpfError('BPF_BTF_LOAD', 'EINVAL', log), { request: 'of a client' });
    const { err: error } = JSON.parse(await written('json', { err }));
    expect(Object.keys(error).toSorted()).toEqual(['code', 'message', 'stack', 'type']);
    expect(error).toMatchObject({
      type: 'BpfError',
      code: 'EINVAL',
      stack: expect.stringContaining('.test.ts'),
    });
    const long = JSON.parse(await written('json', { err: new Error('m'.repeat(1 << 20)) })).err;
    expect([long.message.length, long.stack.length]).toEqual([1024, 8192]);
  });

  test('can contain a thrown value that is not an error', async () => {
    expect(JSON.parse(await written('json', { err: 'a text' })).err).toBe('a text');
  });
});

test('Headers that grpc-js cannot read write nothing to standard error, and a line only at the level debug', () => {
  const standardError = jest.spyOn(console, 'error').mockReturnValue();
  try {
    for (const [level, count] of [
      ['info', 0],
      ['debug', 1],
    ] as const) {
      const { logger, lines } = logLines(level);
      takeGrpcLog(logger);
      Metadata.fromHttp2Headers({ 'x-name': `\u00ff${'x'.repeat(10_000)}` });
      expect(lines).toHaveLength(count);
      expect(JSON.stringify(lines).length).toBeLessThan(2_000);
    }
    expect(standardError).not.toHaveBeenCalled();
  } finally {
    setLogger(console);
    standardError.mockRestore();
  }
});
