import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { CHECKS } from './checks/index.js';
import { KERNELS } from './kernel-table.js';
import type { KernelResults } from './results.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('the tables of the tests in virtual machines', () => {
  test('name the kernels that scripts/kernel-packages.json pins, and those of CI', () => {
    const { kernels }: { kernels: { series: string; ci?: boolean }[] } = JSON.parse(
      read('../../../../scripts/kernel-packages.json'),
    );
    const pinned = kernels.map(({ series, ci = false }) => ({ series, inCi: ci }));
    expect(KERNELS.map(({ series, inCi }) => ({ series, inCi }))).toEqual(pinned);
    expect(pinned.filter(({ inCi }) => inCi)).toHaveLength(2);
  });

  test('have no results of kernels and checks that are gone, or of checks that do not apply', () => {
    const results: Record<string, KernelResults> = JSON.parse(read('results.json'));
    const known = new Set(KERNELS.map(({ series }) => series));
    expect(Object.keys(results).filter((series) => !known.has(series))).toEqual([]);
    for (const facts of KERNELS) {
      for (const [title, reason] of Object.entries(results[facts.series]?.checks ?? {})) {
        const check = CHECKS.find((candidate) => candidate.title === title);
        expect([title, check?.except?.(facts) ?? null]).toEqual([title, reason]);
        expect([title, check === undefined]).toEqual([title, false]);
      }
    }
  });

  test('have a title for each check', () => {
    expect(new Set(CHECKS.map(({ title }) => title)).size).toBe(CHECKS.length);
  });
});
