import type { RowResult, RunResult } from '../run/result.js';
import { METRICS, OWN, type Metric } from '../run/row.js';
import { growthChart, ratioChart, type Bar } from './svg-chart.js';
import { costTable, growthTable, markdownTable, peersOf } from './tables.js';
import { formatCost, formatRatio } from './units.js';

/** Document is the report: Markdown, and charts by the names with which it refers to them. */
export interface Document {
  readonly markdown: string;
  readonly charts: ReadonlyMap<string, string>;
}

/** Section is a part of the report: the rows whose names begin with its own. */
interface Section {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  /** The metric of its chart. */
  readonly metric: Metric;
}

const SECTIONS: readonly Section[] = [
  {
    name: 'task',
    title: 'A whole user task',
    text: 'One client in Go opens a connection, asks for ten members, gets `task_struct` with everything that it refers to, lists the objects, and loads and closes one. CPU is that of the server. The task is repeated, so the daemon has kept its responses of `Spec` and `ResolveMembers`, except where it keeps none.',
    metric: 'wallUs',
  },
  {
    name: 'library',
    title: 'The library',
    text: 'Each library repeats the work in a process of its own. The first repetition is the cold one. The warm ones are the second half.',
    metric: 'cpuUs',
  },
  {
    name: 'objects',
    title: 'BPF objects',
    text: 'The objects are those with CO-RE relocations in Debian’s libbpf-tools and xdp-tools, for the BTF of the kernel that runs, which is parsed before. libbpf opens and relocates them: it stops before it makes a system call of bpf(2). `checkObject` also finds out where the verifier gets, and what else the programs need. Through the daemon, CPU is that of the daemon for each call.',
    metric: 'cpuUs',
  },
  {
    name: 'process',
    title: 'Processes',
    text: 'The programs are those that `npm install` makes of the packed packages. A cold run has an empty cache folder. `node` is Node with an empty script. CPU is that of the program, without that of a daemon.',
    metric: 'cpuUs',
  },
  {
    name: 'wire',
    title: 'The wire',
    text: 'The packed daemon writes its log, with a line of the audit log for each handle, to a file. `bare` is grpc-js alone, which replays the messages of the daemon. `go` is a service of the same contract on cilium/ebpf and grpc-go, which writes no log. The client is the same one in Go. CPU is that of the server for each call, and time is that of the client: the median, or with several calls at once, the time of all divided by their number. Each row repeats its calls. The daemon keeps responses of `Spec` and `ResolveMembers`, except RAW, so that it makes them once; where it says so, it keeps none.',
    metric: 'cpuUs',
  },
  {
    name: 'memory',
    title: 'Memory',
    text: 'The servers are new in each round.',
    metric: 'rssKib',
  },
];

const GROWTH = {
  title: 'Growth',
  text: 'Axes are logarithmic. The exponent is the slope of the line through the points: 1 is linear growth, and 0 is a cost that does not grow. Sizes that the limits of the machine do not allow are left out.',
};

/** The metric of a row about growth, and the title of its sizes. */
const GROWTH_METRICS: Readonly<Record<string, readonly [metric: Metric, sizes: string][]>> = {
  'growth/handles': [
    ['cpuUs', 'handles'],
    ['rssKib', 'handles'],
  ],
  'growth/clients': [
    ['wallUs', 'clients'],
    ['cpuUs', 'clients'],
  ],
};

/** writeDocument returns the report of a run. `folder` is the path from the document to its charts. */
export function writeDocument(run: RunResult, folder: string): Document {
  const charts = new Map<string, string>();
  const chart = (name: string, alt: string, svg: string): string => {
    charts.set(`${name}.svg`, svg);
    return `![${alt}](${folder}/${name}.svg)`;
  };
  const parts = [introduction(run)];
  for (const { name, title, text, metric } of SECTIONS) {
    const rows = rowsOf(run, name);
    if (rows.length === 0) continue;
    parts.push(`## ${title}`, text);
    const bars = barsOf(rows, metric);
    if (bars.length > 1) {
      const heading = `${title}: ${METRICS[metric].title} of btfd in relation to each peer (less is better)`;
      parts.push(chart(name, heading, ratioChart(heading, bars)));
    }
    parts.push(costTable(rows));
  }
  const growth = rowsOf(run, 'growth');
  if (growth.length > 0) parts.push(`## ${GROWTH.title}`, GROWTH.text);
  for (const row of growth) {
    for (const [metric, sizes] of GROWTH_METRICS[row.name] ?? [['cpuUs', 'types']]) {
      const title = `${row.title}: ${METRICS[metric].title}`;
      const lines = [OWN, ...peersOf([row])].map((series) => ({
        series,
        points: row.points.flatMap(({ size, subjects }): [number, number][] => {
          const summary = subjects[series]?.[metric];
          return summary === undefined ? [] : [[size, summary.median]];
        }),
      }));
      const axes = { title, x: sizes, formatY: (value: number) => formatCost(value, metric) };
      const name = `${row.name.replaceAll('/', '-')}-${metric === 'rssKib' ? 'memory' : metric.replace('Us', '')}`;
      parts.push(`### ${sentence(title)}`, chart(name, title, growthChart(axes, lines)));
      parts.push(growthTable(row, metric, sizes));
    }
  }
  const missing = missingTable(run.rows);
  if (missing !== null) parts.push('## Left out', missing);
  return { markdown: `${parts.join('\n\n')}\n`, charts };
}

function introduction({ machine, rounds, rows, quick }: RunResult): string {
  const { date, cpu, cores, memoryMib, kernel, distribution, commit, load, versions } = machine;
  const facts = [
    ['date', date.slice(0, 16).replace('T', ' ')],
    ['commit', commit],
    ['machine', `${cpu}, ${cores} processors, ${Math.round(memoryMib / 1024)} GiB`],
    ['kernel', `${kernel}, ${distribution}`],
    ['load before the run', String(load)],
    ...Object.entries(versions),
  ];
  return `# Performance

\`pnpm bench --report docs\` wrote this document from a run of ${rows.length} rows and ${rounds} rounds${quick ? ', with little work in each' : ''}. In each
round, btfd and its peers do the same work one after the other. Numbers are medians of the rounds, and ± is the median distance
from the median. A ratio in parentheses is btfd’s cost divided by that of the peer: the median of the ratios of all rounds. Less than
1 means that btfd costs less. Ratios count: times depend on the machine, and on other work that it does.

${markdownTable(['run', ''], facts)}`;
}

function rowsOf({ rows }: RunResult, section: string): RowResult[] {
  return rows.filter(({ name }) => name.startsWith(`${section}/`));
}

/** Returns a bar for each peer of each row. Rows without the section's metric show the first one that they have. */
function barsOf(rows: readonly RowResult[], preferred: Metric): Bar[] {
  return rows.flatMap(({ title, points, goals }) => {
    const ratios = points[0]?.ratios ?? {};
    return Object.entries(ratios).flatMap(([peer, summaries]): Bar[] => {
      const metric = [preferred, ...goals.map((goal) => goal.metric)].find(
        (candidate) => summaries[candidate] !== undefined,
      );
      const ratio = metric === undefined ? undefined : summaries[metric]?.median;
      if (ratio === undefined || ratio <= 0) return [];
      return [{ label: title.replaceAll('`', ''), value: ratio, text: formatRatio(ratio), series: peer }];
    });
  });
}

function missingTable(rows: readonly RowResult[]): string | null {
  const lines = rows.flatMap(({ title, missing }) =>
    missing.map(({ subject, reason }) => [title, subject, reason]),
  );
  return lines.length === 0 ? null : markdownTable(['row', 'peer', 'reason'], lines);
}

function sentence(title: string): string {
  return title.charAt(0).toUpperCase() + title.slice(1);
}
