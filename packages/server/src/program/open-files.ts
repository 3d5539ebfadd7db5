import { maxOpenFiles } from '../base/max-open-files.js';
import type { Limits } from '../config/limits.js';
import { MAX_REFUSED } from '../listen/connections.js';
import { MAX_METRICS_CONNECTIONS } from '../observe/operations-server.js';
import { FILES_OF_A_START } from '../pool/start-failure.js';

/** Standard streams, listeners, and those of Node: 22 in an idle daemon with Node 20. */
const OWN_FILES = 32;

/** The limits that say how many files can be open. */
type FileLimits = Pick<Limits, 'maxHandles' | 'maxConnections' | 'maxHandshakes' | 'maxCalls' | 'workers'>;

/** neededFiles returns how many files a daemon with these limits may have open at one time. */
export function neededFiles(limits: FileLimits): number {
  // A quota counts those of all sockets. The socket for file descriptors refuses as many as the others.
  const connections =
    limits.maxConnections + limits.maxHandshakes + 2 * MAX_REFUSED + MAX_METRICS_CONNECTIONS;
  // A call opens an object at a time, to read it.
  const objects = limits.maxHandles + limits.maxCalls;
  return connections + objects + OWN_FILES + FILES_OF_A_START * limits.workers;
}

/**
 * tooFewFiles returns a warning if the process may open fewer files than the limits allow for, or null.
 *
 * @param allowed - how many it may open; null if that is not known
 */
export function tooFewFiles(limits: FileLimits, allowed: number | null = maxOpenFiles()): string | null {
  const needed = neededFiles(limits);
  if (allowed === null || allowed >= needed) return null;
  const { maxHandles, maxConnections, maxCalls } = limits;
  return (
    `the process may open ${allowed} files, but max-handles ${maxHandles}, max-connections ${maxConnections} and ` +
    `max-calls ${maxCalls} need ${needed}: raise LimitNOFILE of the unit or the hard limit of \`ulimit -n\`, or lower them`
  );
}
