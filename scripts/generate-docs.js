// Writes the parts of docs/ that are made from tables in the code: `pnpm generate:docs`.
//
//     node scripts/generate-docs.js [--check] [FOLDER]
//
// With --check nothing is written: it fails, and names each document that is not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { CLIENT_REASONS } from '../packages/client/dist/error/client-reasons.js';
import { errorTables } from '../packages/server/dist/documentation/error-tables.js';
import { withMadeBlock } from '../packages/server/dist/documentation/made-block.js';
import { metricTables } from '../packages/server/dist/documentation/metric-tables.js';
import { settingsTable } from '../packages/server/dist/documentation/settings-table.js';
import { DaemonMetrics } from '../packages/server/dist/observe/daemon-metrics.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Each document, and what makes its block. */
const MADE = {
  'errors.md': () =>
    errorTables(readFileSync(join(ROOT, 'proto/btf/v1/errors.proto'), 'utf8'), CLIENT_REASONS),
  'metrics.md': async () => {
    const { registry } = new DaemonMetrics();
    registry.addProcessMetrics();
    return metricTables(await registry.text());
  },
  'operations.md': () => settingsTable(),
};

const args = process.argv.slice(2);
const check = args.includes('--check');
const folder = args.find((arg) => !arg.startsWith('--')) ?? join(ROOT, 'docs');
const options = await resolveConfig(join(ROOT, 'docs/errors.md'));

for (const [name, make] of Object.entries(MADE)) {
  const path = join(folder, name);
  const document = readFileSync(path, 'utf8');
  const current = await format(withMadeBlock(document, await make()), { ...options, parser: 'markdown' });
  if (current === document) continue;
  if (check) {
    console.error(`docs/${name} is not current: pnpm generate:docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(path, current);
  }
}
