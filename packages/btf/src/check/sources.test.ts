import { expect, test } from '@jest/globals';
import { parseBtfExt } from '../ext/btf-ext.js';
import { Spec } from '../spec.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleExt } from '../testing/assemble-ext.js';
import { Sources } from './sources.js';

test('lines that share a long text take a bounded amount of memory', () => {
  const btf = new BtfAssembler('little');
  const section = btf.string('socket');
  const text = btf.string('x'.repeat(4096));
  const count = 20_000;
  const records = Array.from({ length: count }, (_, i) => [
    8 * i,
    text + (i % 1024),
    text + 1024 + (i % 1024),
    1 << 10,
  ]);
  const ext = assembleExt('little', { lines: { blocks: [{ name: section, records }] } });
  const sources = new Sources(parseBtfExt(ext, Spec.parse(btf.bytes())).lines);
  let characters = 0;
  let found = 0;
  for (let i = 0; i < count; i++) {
    const line = sources.at('socket', i);
    if (line === null) continue;
    found += 1;
    characters += line.file.length + line.text.length;
  }
  expect(found).toBeGreaterThan(10_000);
  expect(characters).toBeLessThan(16.1 * 1024 * 1024);
  expect(sources.at('socket', 0)).toBe(sources.at('socket', 0));
});
