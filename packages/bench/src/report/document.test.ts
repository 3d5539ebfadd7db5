import { describe, expect, test } from '@jest/globals';
import { ROWS } from '../rows/rows.js';
import type { RowResult, RunResult } from '../run/result.js';
import type { Metric } from '../run/row.js';
import { summarize } from '../run/statistics.js';
import { writeDocument } from './document.js';
import { formatCost } from './units.js';

const one = (metric: Metric, ...values: number[]) => ({ [metric]: summarize(values) });

const INDEX: RowResult = {
  name: 'library/index',
  title: 'index `vmlinux`',
  points: [
    {
      size: 0,
      subjects: {
        btfd: one('cpuUs', 1_100, 1_080, 1_200),
        libbpf: one('cpuUs', 4_000),
        cilium: one('cpuUs', 12_345),
      },
      ratios: { libbpf: one('cpuUs', 0.275), cilium: one('cpuUs', 0.089) },
    },
  ],
  slopes: {},
  goals: [
    { metric: 'cpuUs', peer: null, atMost: 1_500 },
    { metric: 'cpuUs', peer: 'libbpf', atMost: 0.1 },
    { metric: 'cpuUs', peer: 'go', atMost: 1 },
  ],
  over: null,
  missing: [{ subject: 'go', reason: 'go is missing' }],
};
const GROWING: RowResult = {
  name: 'growth/dedup',
  title: 'deduplicate',
  points: [
    { size: 1_000, subjects: { btfd: one('cpuUs', 1_000), libbpf: one('cpuUs', 500) }, ratios: {} },
    { size: 10_000, subjects: { btfd: one('cpuUs', 10_000), libbpf: one('cpuUs', 7_000) }, ratios: {} },
  ],
  slopes: { btfd: { cpuUs: 1 }, libbpf: { cpuUs: 1.146 } },
  goals: [],
  over: null,
  missing: [],
};
const RUN: RunResult = {
  machine: {
    date: '2026-11-29T12:00:00.000Z',
    cpu: 'A CPU',
    cores: 2,
    memoryMib: 8_192,
    kernel: '6.18.5',
    distribution: 'Debian 12',
    commit: 'abc',
    load: 0.5,
    versions: { node: '20.19.0' },
  },
  rounds: 3,
  quick: false,
  rows: [INDEX, GROWING],
};

describe('The report', () => {
  const { markdown, charts } = writeDocument(RUN, 'performance');
  const section = (title: string) =>
    markdown.split(`${title}\n`)[1]?.split('\n#')[0]?.trim().split('\n') ?? [];

  test('names the machine, the date and the versions', () => {
    expect(section('# Performance').slice(-8)).toEqual([
      '| run                 |                            |',
      '| ------------------- | -------------------------- |',
      '| date                | 2026-11-29 12:00           |',
      '| commit              | abc                        |',
      '| machine             | A CPU, 2 processors, 8 GiB |',
      '| kernel              | 6.18.5, Debian 12          |',
      '| load before the run | 0.5                        |',
      '| node                | 20.19.0                    |',
    ]);
  });

  test('has a line for each cost, with ratios and goals', () => {
    expect(section('## The library').slice(-3)).toEqual([
      '|                 | cost | btfd           | libbpf        | cilium            | goal                                                      |',
      '| --------------- | ---- | -------------- | ------------- | ----------------- | --------------------------------------------------------- |',
      '| index `vmlinux` | CPU  | 1.1 ms ± 20 µs | 4 ms (0.28 ×) | 12.3 ms (0.089 ×) | ≤ 1.5 ms: yes; ≤ 0.1 × libbpf: no; ≤ 1 × go: not measured |',
    ]);
  });

  test('has a table and a chart of growth', () => {
    expect(section('### Deduplicate: CPU')).toEqual([
      '![deduplicate: CPU](performance/growth-dedup-cpu.svg)',
      '',
      '| types    | btfd  | libbpf |',
      '| -------- | ----- | ------ |',
      '| 1,000    | 1 ms  | 500 µs |',
      '| 10,000   | 10 ms | 7 ms   |',
      '| exponent | 1.00  | 1.15   |',
    ]);
  });

  test('names what was left out', () => {
    expect(section('## Left out').at(-1)).toBe('| index `vmlinux` | go   | go is missing |');
  });

  test('has the charts to which it refers', () => {
    const named = [...markdown.matchAll(/\(performance\/(.+?[.]svg)\)/g)].map(([, name]) => name);
    expect(named).toEqual(['library.svg', 'growth-dedup-cpu.svg']);
    expect([...charts.keys()]).toEqual(named);
  });

  test('draws bars from 1 to the ratio, on a logarithmic axis', () => {
    const bars = [
      ...(charts.get('library.svg') ?? '').matchAll(/<rect x="(.+?)" y=".+?" width="(.+?)" height="14"/g),
    ];
    const [[, from, width] = [], [, from2, width2] = []] = bars;
    // Both end at 1, and the ratio of their lengths is that of the logarithms.
    expect(Number(from) + Number(width)).toBeCloseTo(Number(from2) + Number(width2), 0);
    expect(Number(width2) / Number(width)).toBeCloseTo(Math.log(0.089) / Math.log(0.275), 1);
  });
});

test.each([
  [0.5, 'cpuUs', '0.5 µs'],
  [999.4, 'wallUs', '999 µs'],
  [4_900, 'cpuUs', '4.9 ms'],
  [1_234_567, 'cpuUs', '1.23 s'],
  [76_800, 'rssKib', '75 MiB'],
] as const)('%d of %s is %s', (value, metric, text) => {
  expect(formatCost(value, metric)).toBe(text);
});

test('Each row of the benchmark is in a section of the document', () => {
  const leftOut = ROWS.filter(({ name, title }) => {
    const rows = [{ ...INDEX, name, title: `unlike ${title}` }];
    return !writeDocument({ ...RUN, rows }, 'performance').markdown.includes(`nlike ${title}`);
  });
  expect(leftOut.map(({ name }) => name)).toEqual([]);
});
