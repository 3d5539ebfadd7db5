// Asks a fleet in a process of its own. It gets the addresses as its first message, and its argument is the concurrency.
import { once } from 'node:events';
import { BtfFleet, staticNodes } from '@btfd/fleet';
import type { AskedMessage, Cost } from './fleet-messages.js';

/** A socket lives longer than this. */
const SAMPLE_MS = 20;

const [addresses]: string[][] = await once(process, 'message');
const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length;
let sockets = 0;
const sampling = setInterval(() => (sockets = Math.max(sockets, openSockets())), SAMPLE_MS);

async function costOf(work: () => Promise<void>): Promise<Cost> {
  const [cpu, started] = [process.cpuUsage(), performance.now()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1_000, wallMs: performance.now() - started };
}

const fleet = new BtfFleet(staticNodes(addresses ?? []), { concurrency: Number(process.argv[2]) });
let outcomes: string[] = [];
const survey = await costOf(async () => {
  const { nodes } = await fleet.inventory();
  outcomes = [...nodes.values()].map(({ kind }) => kind);
});
let builds = 0;
const question = await costOf(async () => {
  // The costliest question, which transfers the BTF of each build.
  builds = (await fleet.findTypes('task_*')).builds.length;
});
clearInterval(sampling);
await fleet.close();
const asked: AskedMessage = {
  survey,
  question,
  builds,
  answered: outcomes.filter((kind) => kind === 'answered').length,
  nodes: outcomes.length,
  sockets,
  mebibytes: process.resourceUsage().maxRSS / 1_024,
};
process.send?.(asked, () => process.disconnect());
