import { addonKernel, parseAddress, startDaemon } from '@btfd/server';
import { pino } from 'pino';
import { answerLoopDelay } from './loop-delay.js';

await startDaemon({
  addresses: [parseAddress(`unix:${process.argv[2] ?? ''}`)],
  btfDir: null,
  kernel: addonKernel,
  logger: pino({ level: 'warn' }, pino.destination(2)),
});
answerLoopDelay();
process.send?.('listening');
