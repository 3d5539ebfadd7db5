import { addonKernel, parseAddress, startDaemon } from '@btfd/server';
import { multistream, pino } from 'pino';
import { reportLoopDelay } from './loop-delay.js';

/** The arguments: a unix socket, a file of a policy, and the files of TLS, if the daemon listens on TCP too. */
const [, , socket = '', policyFile = '', cert, key = '', clientCa = ''] = process.argv;
const unix = parseAddress(`unix:${socket}`);
const daemon = await startDaemon({
  addresses: cert === undefined ? [unix] : [unix, parseAddress('127.0.0.1:0')],
  policy: { file: policyFile },
  tls: cert === undefined ? null : { cert, key, clientCa },
  btfDir: null,
  kernel: addonKernel,
  // Errors are printed. Everything else, and the audit log whatever the level, is made but not written.
  logger: pino({ level: 'warn' }, multistream([{ level: 'error', stream: pino.destination(2) }])),
});
reportLoopDelay();
const [, tcp] = daemon.addresses;
process.send?.({ port: tcp?.kind === 'tcp' ? tcp.port : null });
