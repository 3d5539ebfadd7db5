import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { maxOpenFiles } from '../base/max-open-files.js';
import { DEFAULT_LIMITS } from '../config/limits.js';
import { neededFiles, tooFewFiles } from './open-files.js';

const limitsText = (count: number | string): string =>
  `Max processes             63714                63714                processes \nMax open files            ${count}                 ${count}                files     \n`;

const UNIT = new URL('../../../../deploy/systemd/btfd.service', import.meta.url);

describe('The open files that the limits allow for', () => {
  test('are those of handles, connections and calls, and some of its own', () => {
    const { maxHandles, maxConnections, maxCalls } = DEFAULT_LIMITS;
    const sum = maxHandles + maxConnections + maxCalls;
    expect(neededFiles(DEFAULT_LIMITS)).toBeGreaterThan(sum);
    expect(neededFiles(DEFAULT_LIMITS)).toBeLessThan(sum + 1_000);
  });

  test('are warned of, with all numbers, if the process may open fewer', () => {
    const needed = neededFiles(DEFAULT_LIMITS);
    expect(tooFewFiles(DEFAULT_LIMITS, maxOpenFiles(limitsText(needed)))).toBeNull();
    expect(tooFewFiles(DEFAULT_LIMITS, maxOpenFiles(limitsText(needed - 1)))).toBe(
      `the process may open ${needed - 1} files, but max-handles 16384, max-connections 1024 and max-calls 2048 need ${needed}: ` +
        'raise LimitNOFILE of the unit or the hard limit of `ulimit -n`, or lower them',
    );
  });

  test('are not warned of without a limit, or if it is unknown', () => {
    expect(tooFewFiles(DEFAULT_LIMITS, maxOpenFiles(limitsText('unlimited')))).toBeNull();
    expect(tooFewFiles(DEFAULT_LIMITS, maxOpenFiles(null))).toBeNull();
  });

  test('fit into the limit of the systemd unit', () => {
    const [, limit] = /^LimitNOFILE=(\d+)$/m.exec(readFileSync(UNIT, 'utf8')) ?? [];
    expect(tooFewFiles(DEFAULT_LIMITS, maxOpenFiles(limitsText(limit ?? '')))).toBeNull();
    expect(Number(limit)).toBeGreaterThan(neededFiles(DEFAULT_LIMITS));
  });
});
