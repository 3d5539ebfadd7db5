import { parseArgs } from 'node:util';
import { Child } from './child.js';
import { measureEventLoop } from './event-loop.js';
import { measureFloods } from './flood.js';
import { measureKernelCheck } from './kernel-check.js';
import { measureThroughput } from './throughput.js';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });

await using daemon = await Child.start('daemon-child');
await using peer = await Child.start('echo-child');
await measureEventLoop(daemon, peer, values.quick);
await measureThroughput(daemon, peer, values.quick);
await measureFloods(peer, values.quick);
await measureKernelCheck();
