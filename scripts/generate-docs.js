// Writes the tables in docs/ that are generated from tables in the code: `pnpm generate:docs`.
//
//     node scripts/generate-docs.js [--check] [FOLDER]
//
// With --check it writes nothing, names each document that is not current, and fails.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { FEATURE_ROWS } from '../packages/btf/dist/index.js';
import { CLIENT_REASONS } from '../packages/client/dist/error/client-reasons.js';
import { KERNELS } from '../packages/e2e/dist/kernels/kernel-table.js';
import { kernelSummary, kernelTables } from '../packages/reference/dist/kernel-tables.js';
import { errorTables } from '../packages/reference/dist/error-tables.js';
import {
  featureTable,
  metricTables,
  settingsTable,
  withMadeBlock,
} from '../packages/reference/dist/doc-tables.js';
import { defaultOf } from '../packages/server/dist/config/setting.js';
import { SETTING_GROUPS } from '../packages/server/dist/config/settings.js';
import { ERRNO_REASONS, ERROR_CODES } from '../packages/server/dist/error/error-table.js';
import { DaemonMetrics } from '../packages/server/dist/observe/daemon-metrics.js';
import { METRICS } from '../packages/server/dist/observe/metric-table.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The documents, each with the function that makes its tables. */
const MADE = {
  'errors.md': () => {
    const proto = readFileSync(join(ROOT, 'proto/btf/v1/errors.proto'), 'utf8');
    return errorTables(proto, { codes: ERROR_CODES, errnos: ERRNO_REASONS }, CLIENT_REASONS);
  },
  'kernels.md': () => kernelTables(KERNELS, kernelResults()),
  'loads.md': () => featureTable(FEATURE_ROWS),
  'metrics.md': async () => {
    const { registry } = new DaemonMetrics();
    await registry.addProcessMetrics();
    return metricTables(METRICS, await registry.text());
  },
  'operations.md': () => settingsTable(SETTING_GROUPS.map(documented)),
};

/** The same outside docs/. Not made if a folder is given. */
const MADE_ELSEWHERE = { '../README.md': () => kernelSummary(KERNELS, kernelResults()) };

const args = process.argv.slice(2);
const check = args.includes('--check');
const given = args.find((arg) => !arg.startsWith('--'));
const folder = given ?? join(ROOT, 'docs');
const options = await resolveConfig(join(ROOT, 'docs/errors.md'));

for (const [name, make] of Object.entries({ ...MADE, ...(given === undefined ? MADE_ELSEWHERE : {}) })) {
  const path = join(folder, name);
  const document = readFileSync(path, 'utf8');
  const current = await format(withMadeBlock(document, await make()), { ...options, parser: 'markdown' });
  if (current === document) continue;
  if (check) {
    console.error(`${join('docs', name)} is not current: pnpm generate:docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, current);
  }
}

function kernelResults() {
  return JSON.parse(readFileSync(join(ROOT, 'packages/e2e/src/kernels/results.json'), 'utf8'));
}

/** Returns the documentation of a group of settings. */
function documented({ title, settings }) {
  return {
    title,
    settings: settings.map((setting) => {
      const { name, kind, description, reason } = setting;
      const note = kind.note === undefined ? '' : `; ${kind.note}`;
      return { name, defaultText: defaultOf(setting), description: `${description}${note}`, reason };
    }),
  };
}
