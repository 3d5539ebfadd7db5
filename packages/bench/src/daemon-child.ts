import { addonKernel, parseAddress, startDaemon } from '@btfd/server';
import { pino } from 'pino';
import { reportLoopDelay } from './loop-delay.js';

await startDaemon({
  addresses: [parseAddress(`unix:${process.argv[2] ?? ''}`)],
  btfDir: null,
  kernel: addonKernel,
  logger: pino({ level: 'warn' }, pino.destination(2)),
});
reportLoopDelay();
process.send?.('listening');
