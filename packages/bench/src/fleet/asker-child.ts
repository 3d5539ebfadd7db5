// Asks a fleet in a process of its own. It gets the addresses as its first message, and its argument is the concurrency.
import { once } from 'node:events';
import { BtfFleet, staticNodes } from '@btfd/fleet';
import type { AskedMessage, Cost } from './fleet-messages.js';

const [addresses]: string[][] = await once(process, 'message');

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
  // The costliest question, which transfers the BTF of each build. Nodes that did not respond are asked again.
  builds = (await fleet.findTypes('task_*')).builds.length;
});
await fleet.close();
const asked: AskedMessage = {
  survey,
  question,
  builds,
  answered: outcomes.filter((kind) => kind === 'answered').length,
  nodes: outcomes.length,
  mebibytes: process.resourceUsage().maxRSS / 1_024,
};
process.send?.(asked, () => process.disconnect());
