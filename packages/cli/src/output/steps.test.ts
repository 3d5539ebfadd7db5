import { Writable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { Steps } from './steps.js';

class Text extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

test('shows the steps of work that takes longer than half a second, and clears the line at the end', () => {
  const stream = new Text();
  let now = 0;
  {
    using steps = new Steps(stream, () => now);
    now = 499;
    steps.update(1, 3);
    expect(stream.text).toBe('');
    now = 500;
    steps.update(2, 3);
    expect(stream.text).toBe('\r\u001B[K2 of 3');
  }
  expect(stream.text).toBe('\r\u001B[K2 of 3\r\u001B[K');
});

test('shows nothing of short work', () => {
  const stream = new Text();
  {
    using steps = new Steps(stream, () => 0);
    steps.update(1, 3);
  }
  expect(stream.text).toBe('');
});
