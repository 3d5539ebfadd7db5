import { describe, expect, test } from '@jest/globals';
import { LogOutput, type LogStream } from './log-output.js';

/** A pipe that is read only when the test says so. */
class Pipe implements LogStream {
  readonly read: string[] = [];
  readonly #waiting: { readonly text: string; readonly onWritten: () => void }[] = [];
  #onError: (error: Error) => void = () => {};

  get writableLength(): number {
    return this.#waiting.reduce((sum, { text }) => sum + text.length, 0);
  }

  write(text: string, onWritten: () => void): void {
    this.#waiting.push({ text, onWritten });
  }

  on(_event: 'error', listener: (error: Error) => void): void {
    this.#onError = listener;
  }

  /** Reads everything that waits. */
  drain(): void {
    for (const { text, onWritten } of this.#waiting.splice(0)) {
      this.read.push(text);
      onWritten();
    }
  }

  /** Closes the reader's end. */
  close(): void {
    this.#onError(new Error('EPIPE'));
    for (const { onWritten } of this.#waiting.splice(0)) onWritten();
  }
}

describe('Lines that nobody reads', () => {
  test('wait up to the limit, and are dropped and counted beyond it', () => {
    const pipe = new Pipe();
    const output = new LogOutput(pipe, 10);
    for (const line of ['aaaaaa\n', 'bbbbbb\n', 'cccccc\n', 'dddddd\n']) output.write(line);
    expect([output.dropped, pipe.writableLength]).toEqual([2, 14]);
    pipe.drain();
    for (const line of ['eeeeee\n', 'ffffff\n']) {
      output.write(line);
      pipe.drain();
    }
    expect(pipe.read).toEqual([
      'aaaaaa\n',
      'bbbbbb\n',
      expect.stringContaining('"droppedLines":2'),
      'eeeeee\n',
      'ffffff\n',
    ]);
  });

  test('delay the end for a limited time only', async () => {
    const pipe = new Pipe();
    const output = new LogOutput(pipe, 10);
    output.write('a\n');
    expect(await output.flush(1)).toBe(false);
  });
});

test('The end waits until all lines are written', async () => {
  const pipe = new Pipe();
  const output = new LogOutput(pipe, 10);
  expect(await output.flush(60_000)).toBe(true);
  output.write('a\n');
  output.write('b\n');
  const flushed = output.flush(60_000);
  pipe.drain();
  expect(await flushed).toBe(true);
});

test('When the pipe is closed, lines are dropped, and the end does not wait', async () => {
  const pipe = new Pipe();
  const output = new LogOutput(pipe, 1000);
  output.write('a\n');
  const flushed = output.flush(60_000);
  pipe.close();
  output.write('b\n');
  expect(await flushed).toBe(false);
  expect(await output.flush(60_000)).toBe(false);
  expect([output.dropped, pipe.read]).toEqual([2, []]);
});

test('A stream that throws loses only the line', () => {
  const lines: string[] = [];
  const output = new LogOutput(
    {
      writableLength: 0,
      write(text) {
        if (text === 'full\n') throw new Error('ENOSPC');
        lines.push(text);
      },
      on: () => {},
    },
    10,
  );
  for (const line of ['a\n', 'full\n', 'b\n']) output.write(line);
  expect([output.dropped, lines]).toEqual([1, ['a\n', expect.stringContaining('droppedLines'), 'b\n']]);
});
