import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { stringify } from 'yaml';
import { DaemonProcess } from './testing/daemon-process.js';
import { readManifest } from './testing/manifests.js';
import { RawClient } from './testing/raw-client.js';
import { until } from './testing/until.js';

const MONITORING = fileURLToPath(
  new URL('../../../deploy/kubernetes/components/monitoring', import.meta.url),
);
const METRICS = fileURLToPath(new URL('../../../docs/metrics.md', import.meta.url));

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
}
const { spec } = readManifest(join(MONITORING, 'prometheus-rule.yaml')) as unknown as {
  readonly spec: { readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] };
};
const rules = spec.groups.flatMap((group) => group.rules);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly targets?: readonly { readonly expr: string }[];
}
const dashboard = JSON.parse(readFileSync(join(MONITORING, 'btfd.json'), 'utf8')) as {
  readonly panels: readonly Panel[];
};
/** The queries of the dashboard, with values for Grafana's variables. */
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({
    title,
    expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$job', 'btfd').replaceAll('$instance', '.*'),
  })),
);

/** Returns the names of metrics in an expression. */
function metricsIn(expression: string): string[] {
  return [...expression.matchAll(/\b(?:btfd|process|nodejs)_\w+/g)].map(([name]) => name);
}

describe('The alerts and the dashboard', () => {
  test('query only metrics that the daemon has', () => {
    const known = new Set(
      [...readFileSync(METRICS, 'utf8').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name),
    );
    const used = [...rules, ...queries].flatMap(({ expr }) => metricsIn(expr));
    expect(new Set(used).size).toBeGreaterThan(20);
    expect(used.filter((name) => !known.has(name.replace(/_(?:bucket|count|sum)$/, '')))).toEqual([]);
  });

  test('have panels that do not overlap', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { h, w, x, y } }) =>
      Array.from({ length: h * w }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

needs('bpf', 'prometheus').describe('Prometheus', () => {
  let dir: string;
  let daemon: DaemonProcess;
  let url: string;
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'btfd-prometheus-'));
    const policy = join(dir, 'policy.yaml');
    writeFileSync(policy, 'viewers: [uid:4242]\n', { mode: 0o600 });
    daemon = await DaemonProcess.start({
      args: ['--metrics-listen', '127.0.0.1:0', '--log-format', 'json', '--policy', policy],
    });
    // At once, because nobody wants to wait for the times of the rules.
    const groups = spec.groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({ ...rule, for: '0s' })),
    }));
    writeFileSync(join(dir, 'rules.yaml'), stringify({ groups }));
    const target = new URL(daemon.metricsUrl).host;
    const config = {
      global: { scrape_interval: '200ms', scrape_timeout: '200ms', evaluation_interval: '200ms' },
      rule_files: [join(dir, 'rules.yaml')],
      scrape_configs: [{ job_name: 'btfd', static_configs: [{ targets: [target] }] }],
    };
    writeFileSync(join(dir, 'prometheus.yaml'), stringify(config));
    ({ url, stop } = await startPrometheus(dir));
  });
  afterAll(async () => {
    await stop?.();
    await daemon[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Returns the data of a response of Prometheus's API. */
  async function api(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${url}/api/v1/${path}`);
    const body = (await response.json()) as {
      readonly status: string;
      readonly data: Record<string, unknown>;
    };
    if (body.status !== 'success') throw new Error(`${path}: ${JSON.stringify(body)}`);
    return body.data;
  }

  async function query(expr: string): Promise<unknown[]> {
    const { result } = await api(`query?query=${encodeURIComponent(expr)}`);
    return result as unknown[];
  }

  test('accepts the rules, also with their own times', () => {
    const file = join(dir, 'own.yaml');
    writeFileSync(file, stringify(spec));
    const printed = execFileSync('promtool', ['check', 'rules', '--lint=all', '--lint-fatal', file], {
      encoding: 'utf8',
    });
    expect(printed).toContain(`SUCCESS: ${rules.length} rules found`);
  });

  test('alerts at the values that the rules describe, and not below them', () => {
    const file = join(dir, 'test.yaml');
    writeFileSync(join(dir, 'own.yaml'), stringify(spec));
    writeFileSync(file, stringify(UNIT_TESTS));
    expect(execFileSync('promtool', ['test', 'rules', file], { encoding: 'utf8', cwd: dir })).toContain(
      'SUCCESS',
    );
    // Each alert has a case in which it fires.
    const fired = UNIT_TESTS.tests.flatMap(({ alert_rule_test: cases }) =>
      cases.filter(({ exp_alerts: alerts }) => alerts.length > 0).map(({ alertname }) => alertname),
    );
    expect(new Set(fired)).toEqual(new Set(rules.map(({ alert }) => alert)));
  });

  test('scrapes the daemon, and has a result for each query of the dashboard', async () => {
    await until('it is scraped', async () => (await query('up{job="btfd"} == 1')).length === 1);
    using client = new RawClient(daemon.address);
    await client.call('getServerInfo', {});
    for (const { title, expr } of queries) {
      const result = await query(expr);
      expect([title, Array.isArray(result)]).toEqual([title, true]);
    }
    const builds = queries.find(({ title }) => title === 'Builds');
    expect(await query(builds?.expr ?? '')).toHaveLength(1);
  });

  test('fires an alert when the daemon cannot use its new policy, and ends it afterwards', async () => {
    const firing = async (): Promise<string[]> => {
      const { alerts } = await api('alerts');
      return (alerts as { readonly labels: { readonly alertname: string } }[]).map(
        ({ labels }) => labels.alertname,
      );
    };
    expect(await firing()).not.toContain('BtfdReloadFailed');
    const policy = join(dir, 'policy.yaml');
    writeFileSync(policy, 'viewers: nobody\n', { mode: 0o600 });
    await until('the alert fires', async () => (await firing()).includes('BtfdReloadFailed'));
    writeFileSync(policy, 'viewers: [uid:4243]\n', { mode: 0o600 });
    await until('it ends', async () => !(await firing()).includes('BtfdReloadFailed'));
  });
});

/** Starts Prometheus on a free port, with its data in a folder. */
async function startPrometheus(dir: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(dir, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
      '--log.format=json',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = once(child, 'exit');
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  let port: string | undefined;
  await until('Prometheus listens', () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended with ${child.exitCode}: ${log}`);
    const ports = [...log.matchAll(/"address":"127\.0\.0\.1:(\d+)"/g)].map((match) => match[1]);
    port = ports.find((each) => each !== '0');
    return port !== undefined;
  });
  const url = `http://127.0.0.1:${port}`;
  await until('it is ready', async () => (await fetch(`${url}/-/ready`)).ok);
  return { url, stop };
}

const INSTANCE = 'job="btfd",instance="web7"';

interface Case {
  readonly alertname: string;
  readonly eval_time: string;
  readonly exp_alerts: readonly object[];
}
interface UnitTest {
  readonly interval: string;
  readonly input_series: readonly { readonly series: string; readonly values: string }[];
  readonly alert_rule_test: readonly Case[];
}

/** Returns a test of promtool: an alert that does not fire at one time of a series, and does at another. */
function alertTest(
  alert: string,
  series: Readonly<Record<string, string>>,
  [quiet, loud]: readonly [string, string],
  labels: Readonly<Record<string, string>> = {},
): UnitTest {
  const severity = alert === 'BtfdLogLinesDropped' ? 'info' : 'warning';
  const alerts = [
    { exp_labels: { severity, instance: 'web7', ...labels }, exp_annotations: annotationsOf(alert, labels) },
  ];
  return {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [
      { alertname: alert, eval_time: quiet, exp_alerts: [] },
      { alertname: alert, eval_time: loud, exp_alerts: alerts },
    ],
  };
}

/** The annotations of an alert with its labels and value in them. */
function annotationsOf(alert: string, labels: Readonly<Record<string, string>>): Record<string, string> {
  const found = rules.find((rule) => rule.alert === alert) as unknown as {
    annotations: Record<string, string>;
  };
  const value = VALUES[alert] ?? '';
  return Object.fromEntries(
    Object.entries(found.annotations).map(([name, text]) => [
      name,
      text
        .replaceAll(
          /\{\{ \$labels\.(\w+) \}\}/g,
          (_, label: string) => ({ instance: 'web7', ...labels })[label] ?? '',
        )
        .replaceAll(/\{\{ \$value \| \w+ \}\}/g, value),
    ]),
  );
}

const VALUES: Readonly<Record<string, string>> = {
  BtfdCertificateExpires: '5d 21h 0m 0s',
  BtfdQuotaNearlyUsed: '95%',
};
const JOB = { job: 'btfd' };

const UNIT_TESTS = {
  rule_files: ['own.yaml'],
  evaluation_interval: '1m',
  tests: [
    alertTest('BtfdDown', { [`up{${INSTANCE}}`]: '1x9 0x20' }, ['12m', '20m'], JOB),
    alertTest(
      'BtfdReloadFailed',
      { [`btfd_last_reload_successful{${INSTANCE},files="policy"}`]: '1x9 0x20' },
      ['12m', '20m'],
      { ...JOB, files: 'policy' },
    ),
    alertTest(
      'BtfdCertificateExpires',
      // The tests of promtool begin in 1970.
      { [`btfd_tls_certificate_not_after_timestamp_seconds{${INSTANCE}}`]: `${8 * 86_400}x4000` },
      ['1d', '51h'],
      JOB,
    ),
    alertTest(
      'BtfdInternalErrors',
      {
        [`btfd_rpc_calls_total{${INSTANCE},code="INTERNAL"}`]: '0x30 1x10',
        [`btfd_rpc_calls_total{${INSTANCE},code="NOT_FOUND"}`]: '0+5x40',
      },
      ['30m', '38m'],
    ),
    alertTest(
      'BtfdWorkersReplaced',
      { [`btfd_workers_replaced_total{${INSTANCE}}`]: '0x60 0+1x20' },
      ['62m', '75m'],
      JOB,
    ),
    alertTest(
      'BtfdQuotaNearlyUsed',
      {
        [`btfd_quota_used{${INSTANCE},quota="handles"}`]: '50x30 95x30',
        [`btfd_quota_limit{${INSTANCE},quota="handles"}`]: '100x60',
      },
      ['35m', '50m'],
      { ...JOB, quota: 'handles' },
    ),
    alertTest(
      'BtfdLoadsWait',
      { [`btfd_load_queue_length{${INSTANCE}}`]: '0x20 1 0x5 2x30' },
      ['26m', '45m'],
      JOB,
    ),
    alertTest(
      'BtfdEventLoopSlow',
      { [`nodejs_eventloop_lag_p99_seconds{${INSTANCE}}`]: '0.01x20 0.9x30' },
      ['25m', '40m'],
      JOB,
    ),
    alertTest(
      'BtfdLogLinesDropped',
      { [`btfd_log_lines_dropped_total{${INSTANCE}}`]: '0x30 7x10' },
      ['25m', '33m'],
      JOB,
    ),
  ],
};
