import { expect, test } from '@jest/globals';
import { progressLine } from './progress.js';

test('a bar shows name, bytes and rate', () => {
  expect(progressLine('vmlinux', 2_750_000, 5_500_000, 500)).toBe(
    'vmlinux  ████████████░░░░░░░░░░░░  2.8/5.5 MB  5.5 MB/s',
  );
});

test('without a known size, only bytes and rate are shown', () => {
  expect(progressLine('vmlinux', 1_000_000, 0, 2_000)).toBe('vmlinux  1.0 MB  0.5 MB/s');
  expect(progressLine('vmlinux', 0, 0, 0)).toBe('vmlinux  0.0 MB  0.0 MB/s');
});
