// Measures btfd and its peers: `pnpm bench --help`.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child } from './event-loop/child.js';
import { measureEventLoop } from './event-loop/event-loop.js';
import { measureFloods } from './event-loop/flood.js';
import { measureKernelCheck } from './event-loop/kernel-check.js';
import { measureThroughput } from './event-loop/throughput.js';
import { measureFleet } from './fleet/measure-fleet.js';
import { Lab } from './peers/lab.js';
import { writeDocument } from './report/document.js';
import { printRow } from './report/print-row.js';
import { ROWS } from './rows/rows.js';
import { formatVerdict, record, type Recorded } from './run/guard.js';
import { describeMachine } from './run/machine.js';
import { measureRow } from './run/measure-row.js';
import type { RowResult, RunResult } from './run/result.js';
import { nameFilter } from './run/row.js';
import { measureGuards, runGuards } from './run/run-guards.js';

const USAGE = `usage: pnpm bench [OPTIONS]

Measures btfd and its peers in rounds, one after the other, and prints the costs and their ratios.

  --filter GLOB      only rows whose name matches, for example 'wire/*'; may be repeated
  --list             print the names of all rows, and measure nothing
  --quick            less work in each round, and fewer rounds
  --rounds N         number of rounds (default: 7; with --quick: 3)
  --json FILE        write the measurements, the machine and the versions, after each row
  --report FOLDER    write FOLDER/performance.md and its charts
  --from FILE        report the JSON of an earlier run, and measure nothing
  --cpu-prof FOLDER  write CPU profiles of Node's processes
  --guard            compare with the ratios in guards.json; exit status 1 if one is exceeded
  --record           write the ratios of this machine into guards.json
  --help             print this text

\`pnpm bench:peers\` fetches and builds the peers. Rows are measured without peers that are missing. With BTFD_REQUIRE_TOOLS=1
a missing peer is a failure. Most rows need root.
`;

const GUARDS = fileURLToPath(new URL('../guards.json', import.meta.url));
const DEFAULT_ROUNDS = { full: 7, quick: 3 };

/** The measurements that print tables of their own. */
const TABLES: Readonly<Record<string, (quick: boolean) => Promise<void>>> = {
  'event-loop/requests': async (quick) => onEventLoop((own, peer) => measureEventLoop(own, peer, quick)),
  'event-loop/throughput': async (quick) => onEventLoop((own, peer) => measureThroughput(own, peer, quick)),
  'event-loop/floods': async (quick) => onEventLoop((_, peer) => measureFloods(peer, quick)),
  'event-loop/kernel-check': async () => measureKernelCheck(),
  'fleet/survey': measureFleet,
};

const { values: options } = parseArgs({
  options: {
    filter: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    json: { type: 'string' },
    report: { type: 'string' },
    from: { type: 'string' },
    'cpu-prof': { type: 'string' },
    guard: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const isChosen = nameFilter(options.filter);
const chosen = ROWS.filter(({ name }) => isChosen(name));

if (options.help) console.log(USAGE);
else if (options.list) console.log([...ROWS.map(({ name }) => name), ...Object.keys(TABLES)].join('\n'));
else if (options.guard) await guard();
else if (options.record) await recordGuards();
else await measure();

async function measure(): Promise<void> {
  const run = options.from === undefined ? await measureRows() : readRun(options.from);
  writeJson(run);
  if (options.report !== undefined) writeReport(run, options.report);
}

function writeJson(run: RunResult): void {
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(run, null, 1)}\n`);
}

async function measureRows(): Promise<RunResult> {
  const { quick } = options;
  const rounds = roundsOf(options.rounds) ?? (quick ? DEFAULT_ROUNDS.quick : DEFAULT_ROUNDS.full);
  const rows: RowResult[] = [];
  await using lab = openLab(quick);
  const machine = describeMachine();
  for (const row of chosen) {
    try {
      const result = await measureRow(row, lab, { rounds, quick });
      printRow(result);
      rows.push(result);
      // A long run that is ended has measured something too.
      writeJson({ machine, rounds, quick, rows });
    } catch (error) {
      // The measurements of the other rows took long, and are of use without this one.
      console.error(`\n${row.name} failed:`, error);
      process.exitCode = 1;
    }
  }
  for (const [name, measureIt] of Object.entries(TABLES)) if (isChosen(name)) await measureIt(quick);
  return { machine, rounds, quick, rows };
}

async function guard(): Promise<void> {
  await using lab = openLab(true);
  const verdicts = await runGuards(chosen, lab, readGuards(), (verdict) =>
    console.log(formatVerdict(verdict)),
  );
  const failures = verdicts.filter(({ outcome }) => outcome === 'fails');
  const leftOut = verdicts.filter(({ outcome }) => outcome === 'left out');
  console.log(`${verdicts.length} guards: ${failures.length} failed, ${leftOut.length} left out`);
  if (failures.length > 0) process.exitCode = 1;
}

async function recordGuards(): Promise<void> {
  await using lab = openLab(true);
  const recorded = record(readGuards(), await measureGuards(chosen, lab));
  writeFileSync(GUARDS, `${JSON.stringify(recorded, null, 2)}\n`);
}

function openLab(quick: boolean): Lab {
  const cpuProf = options['cpu-prof'] ?? null;
  return new Lab({ requiresPeers: process.env['BTFD_REQUIRE_TOOLS'] === '1', quick, cpuProf });
}

function readGuards(): Recorded {
  return existsSync(GUARDS) ? JSON.parse(readFileSync(GUARDS, 'utf8')) : {};
}

function readRun(file: string): RunResult {
  const run: RunResult = JSON.parse(readFileSync(file, 'utf8'));
  return run;
}

function writeReport(run: RunResult, folder: string): void {
  const { markdown, charts } = writeDocument(run, 'performance');
  mkdirSync(join(folder, 'performance'), { recursive: true });
  writeFileSync(join(folder, 'performance.md'), markdown);
  for (const [name, svg] of charts) writeFileSync(join(folder, 'performance', name), svg);
}

function roundsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`invalid number of rounds "${text}": use 1 or more`);
  return rounds;
}

/** Starts the daemon in a process with instruments, and an idle peer. */
async function onEventLoop(measureIt: (own: Child, peer: Child) => Promise<void>): Promise<void> {
  await using daemon = await Child.start('daemon-child');
  await using peer = await Child.start('echo-child');
  await measureIt(daemon, peer);
}
