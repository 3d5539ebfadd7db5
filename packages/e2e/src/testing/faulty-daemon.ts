// A daemon whose kernel fails at random. At SIGUSR2 it collects garbage and prints its holdings:
//
//     node --expose-gc faulty-daemon.js SOCKET RATE SEED
import { fdStats } from '@btfd/native';
import { addonKernel, startDaemon } from '@btfd/server';
import { pino } from 'pino';
import { FaultyKernel } from './faulty-kernel.js';
import type { Holdings } from './holdings.js';

const [path = '', rate = '0', seed = '1'] = process.argv.slice(2);
const kernel = new FaultyKernel(addonKernel, Number(seed));
const daemon = await startDaemon({
  addresses: [{ kind: 'unix', path }],
  btfDir: null,
  kernel,
  logger: pino({ level: 'silent' }),
});
// Faults begin only after the start, which must succeed.
kernel.rate = Number(rate);

process.on('SIGUSR2', () => {
  for (let round = 0; round < 3; round++) globalThis.gc?.();
  const usage = daemon.usage();
  const resources = process.getActiveResourcesInfo();
  const holdings: Holdings = {
    handles: usage.handles,
    kernelFds: fdStats().open,
    timers: resources.filter((name) => name === 'Timeout').length,
    connections: usage.connections,
    inUse: usage.calls + usage.streams + usage.loads + usage.btfBytes,
    heapBytes: process.memoryUsage().heapUsed + process.memoryUsage().external,
    faults: kernel.faults,
  };
  process.stdout.write(`${JSON.stringify(holdings)}\n`);
});
process.once('SIGTERM', () => void daemon.stop());
process.stdout.write('ready\n');
