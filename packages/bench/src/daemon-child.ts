import { addonKernel, parseAddress, startDaemon } from '@btfd/server';
import { pino } from 'pino';
import { reportLoopDelay } from './loop-delay.js';

const [, , socket = '', policyFile = ''] = process.argv;
await startDaemon({
  addresses: [parseAddress(`unix:${socket}`)],
  policy: { file: policyFile },
  btfDir: null,
  kernel: addonKernel,
  logger: pino({ level: 'warn' }, pino.destination(2)),
});
reportLoopDelay();
process.send?.('listening');
