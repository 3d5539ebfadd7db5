// Writes the parts of docs/ that are made from tables in the code: `pnpm generate:docs`.
import { readFileSync, writeFileSync } from 'node:fs';
import { DaemonMetrics } from '../packages/server/dist/observe/daemon-metrics.js';
import { withMetricTables } from '../packages/server/dist/observe/metrics-doc.js';

const path = new URL('../docs/metrics.md', import.meta.url);
const { registry } = new DaemonMetrics();
registry.addProcessMetrics();
writeFileSync(path, withMetricTables(readFileSync(path, 'utf8'), await registry.text()));
