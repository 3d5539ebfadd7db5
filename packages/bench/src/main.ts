import { parseArgs } from 'node:util';
import { Child } from './event-loop/child.js';
import { measureEventLoop } from './event-loop/event-loop.js';
import { measureFloods } from './event-loop/flood.js';
import { measureKernelCheck } from './event-loop/kernel-check.js';
import { measureThroughput } from './event-loop/throughput.js';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });

await using daemon = await Child.start('daemon-child');
await using peer = await Child.start('echo-child');
await measureEventLoop(daemon, peer, values.quick);
await measureThroughput(daemon, peer, values.quick);
await measureFloods(peer, values.quick);
await measureKernelCheck();
