import { expect, test } from '@jest/globals';
import { TempDir } from '../../testing/temp-dir.js';
import { kernelSearchNs } from './kernel-search.js';

const MS = 1_000_000;

test('a kernel before 7.0 reads the types of vmlinux again for each module', () => {
  using dir = new TempDir();
  const cost = (release: string) => kernelSearchNs(dir.path, release) / MS;
  expect(cost('6.12.1')).toBe(0.5);
  dir.write('vmlinux', new Uint8Array(10_000_000));
  expect(cost('6.12.1')).toBe(1);
  for (const name of ['ext4', 'xfs']) dir.write(name, new Uint8Array(1_000_000));
  expect(cost('6.12.1')).toBeCloseTo(3.2);
  expect(cost('7.0.0')).toBeCloseTo(3 * 0.01);
});

test('a kernel without BTF has little to search', () => {
  expect(kernelSearchNs('/nowhere', '5.4.0')).toBe(0.5 * MS);
});
