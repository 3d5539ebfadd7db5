// Compares the CPU time of two sets of packages that `scripts/pack.js` has packed:
//
//     node packages/bench/dist/packed.js OLD_FOLDER NEW_FOLDER [RUNS]
//
// npm installs each set into a temporary folder. The commands of both then run alternately, and ask the same daemon.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Child } from './event-loop/child.js';

const VMLINUX = '/sys/kernel/btf/vmlinux';
/** Writes the process's CPU time in microseconds to file descriptor 3 when the process ends. */
const REPORT_CPU = `
const { writeSync } = require('node:fs');
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(3, String(user + system));
});`;
const NOTHING = '0';
const IMPORT = "await import('@btfd/btf')";

const [oldFolder, newFolder, runs = '20'] = process.argv.slice(2);
if (oldFolder === undefined || newFolder === undefined) {
  throw new Error('usage: node packages/bench/dist/packed.js OLD_FOLDER NEW_FOLDER [RUNS]');
}

const dir = mkdtempSync(join(tmpdir(), 'btfd-packed-'));
try {
  await using daemon = await Child.start('daemon-child');
  compare(daemon.address, Number(runs));
} finally {
  rmSync(dir, { recursive: true });
}

function compare(address: string, count: number): void {
  const report = join(dir, 'report-cpu.cjs');
  writeFileSync(report, REPORT_CPU);
  const file = join(dir, 'vmlinux');
  cpSync(VMLINUX, file);
  const projects = [install('old', oldFolder ?? ''), install('new', newFolder ?? '')] as const;
  const btfctl = (...words: string[]): string[] => ['node_modules/@btfd/cli/bin/btfctl.js', ...words];
  const script = (text: string): string[] => ['--input-type=module', '--eval', text];
  const rows: Record<string, Record<string, number>> = {};
  const measure = (name: string, args: readonly string[], base?: readonly string[]): void => {
    const [before, after] = alternately(projects, report, count, args);
    const bare = base === undefined ? 0 : alternately(projects, report, count, base)[0];
    rows[name] = {
      'old ms': round(before - bare),
      'new ms': round(after - bare),
      ratio: round((after - bare) / (before - bare)),
    };
  };
  measure('btfctl version', btfctl('version'));
  measure('btfctl member of a file', btfctl('member', 'task_struct.pid', '--in', file));
  measure('btfctl list', btfctl('--address', address, 'list'));
  measure("import('@btfd/btf'), with the start of Node", script(IMPORT));
  measure("import('@btfd/btf'), over the start of Node", script(IMPORT), script(NOTHING));
  console.log(`CPU time of a run, as the mean of ${count} runs\n`);
  console.table(rows);
}

/** Returns the mean CPU time of a run of Node in each project, in milliseconds. The first run does not count. */
function alternately(
  projects: readonly [string, string],
  report: string,
  count: number,
  args: readonly string[],
): [number, number] {
  const sums: [number, number] = [0, 0];
  for (let run = 0; run <= count; run++) {
    for (const [index, project] of projects.entries()) {
      const { status, output, stderr } = spawnSync(process.execPath, ['--require', report, ...args], {
        cwd: project,
        env: { PATH: process.env['PATH'], HOME: project, XDG_CACHE_HOME: join(project, 'cache') },
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        encoding: 'utf8',
      });
      if (status !== 0) throw new Error(`${args.join(' ')} failed with ${String(status)}: ${stderr}`);
      if (run > 0) sums[index === 0 ? 0 : 1] += Number(output[3]) / 1000 / count;
    }
  }
  return sums;
}

/** Installs the tarballs of a folder into a project. Returns its path. */
function install(name: string, tarballs: string): string {
  const project = mkdtempSync(join(dir, `${name}-`));
  writeFileSync(join(project, 'package.json'), '{"private": true}');
  const files = readdirSync(tarballs).filter((file) => file.endsWith('.tgz'));
  const paths = files.map((file) => resolve(tarballs, file));
  const args = ['install', '--no-audit', '--no-fund', '--prefer-offline', ...paths];
  const { status, stderr } = spawnSync('npm', args, { cwd: project, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm install failed with exit status ${String(status)}: ${stderr}`);
  return project;
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
