// A program that measures the cost of a watch while nothing changes, and the delay until it reports a change:
//     node packages/e2e/dist/testing/measure-watch.js [objects] [seconds] [changes]
import { setTimeout } from 'node:timers/promises';
import { BtfClient } from '@btfd/client';
import { btfLoad } from '@btfd/native';
import { DaemonProcess } from './daemon-process.js';
import { intBtf } from './sample-btf.js';

const [objectCount = 200, seconds = 10, changes = 50] = process.argv.slice(2).map(Number);

async function cpuPerSecond(daemon: DaemonProcess): Promise<string> {
  const before = daemon.cpuMs();
  await setTimeout(seconds * 1000);
  return `${((daemon.cpuMs() - before) / seconds).toFixed(2)} ms/s`;
}

const objects = await Promise.all(
  Array.from({ length: objectCount }, () => btfLoad(intBtf(1, 'measured'), 0)),
);
await using daemon = await DaemonProcess.start();
await using client = new BtfClient(daemon.address);
await client.serverInfo();
// Waits until the work of the start is done.
await setTimeout(2_000);
console.log(`CPU of the daemon, ${objectCount} objects, nobody watches: ${await cpuPerSecond(daemon)}`);

const added = new Map<number, number>();
let synced = false;
let eventCount = 0;
const stop = new AbortController();
const watching = (async () => {
  for await (const event of client.watchHandles({ signal: stop.signal })) {
    eventCount += 1;
    if (event.type === 'synced') synced = true;
    if (event.type === 'added') added.set(event.info.id, performance.now());
  }
})();
watching.catch(() => {});
while (!synced) await setTimeout(10);
await setTimeout(2_000);
const before = eventCount;
const watched = await cpuPerSecond(daemon);
console.log(
  `CPU of the daemon, ${objectCount} objects, one watches: ${watched}; events meanwhile: ${eventCount - before}`,
);

const latencies: number[] = [];
for (let change = 0; change < changes; change++) {
  await setTimeout(Math.random() * 400);
  const object = await btfLoad(intBtf(1, 'noticed'), 0);
  const loadedAt = performance.now();
  const { id } = object.info();
  while (!added.has(id)) await setTimeout(1);
  latencies.push((added.get(id) ?? 0) - loadedAt);
  object.close();
}
latencies.sort((a, b) => a - b);
const at = (share: number) => Math.round(latencies[Math.floor((latencies.length - 1) * share)] ?? 0);
console.log(`noticed after (of ${changes}): median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms`);
stop.abort();
for (const object of objects) object.close();
