import { generateLoad, type CallerOptions, type CallerResult } from '../peers/load-generator.js';
import { programPath } from '../peers/programs.js';
import type { Lab } from '../peers/lab.js';
import type { ServerProcess } from '../peers/server-process.js';
import type { Measured, OpenProbe, Probe } from '../run/row.js';

/** Load is what the load generator does in one round. */
export interface Load extends Omit<CallerOptions, 'requests'> {
  readonly full: number;
  readonly quick: number;
}

/** LoadOf returns the load of a row. */
export type LoadOf = (lab: Lab) => Load | Promise<Load>;

/**
 * onServers returns the probes of a row that puts the same load on the daemon, on bare grpc-js and on the Go service.
 *
 * @param keepsResponses - whether the daemon keeps responses, as it does by default
 */
export function onServers(loadOf: LoadOf, keepsResponses = true): Record<'btfd' | 'bare' | 'go', OpenProbe> {
  const daemonOf = async (lab: Lab): Promise<ServerProcess> =>
    keepsResponses ? lab.daemon() : lab.daemonWithoutResponses();
  return {
    btfd: async (lab) => probeOf(lab, await daemonOf(lab), await loadOf(lab)),
    bare: async (lab) => {
      programPath('go-caller');
      const load = await loadOf(lab);
      const server = await lab.bare();
      // Records of an earlier row may be those of another state of the kernel.
      server.signal('SIGHUP');
      // Each distinct call is recorded once. Several at once would record the handle of one and the end of another.
      await generateLoad(server.address, { ...load, requests: 1, inFlight: 1, connections: 1 });
      return probeOf(lab, server, load);
    },
    go: async (lab) => probeOf(lab, await lab.goService(), await loadOf(lab)),
  };
}

/** probeOf returns the probe of a server that runs. */
export async function probeOf(lab: Lab, server: ServerProcess, load: Load): Promise<Probe> {
  // The server compiles its code, which takes as many calls before a short round as before a long one.
  await generateLoad(server.address, { ...load, requests: load.full });
  const requests = lab.quick ? load.quick : load.full;
  return {
    async measure(size: number) {
      // The sizes of a row on the wire are numbers of connections.
      return measureLoad(server, { ...load, requests, ...(size === 0 ? {} : { connections: size }) });
    },
  };
}

/** measureLoad puts a load on a server, and returns the server's CPU time and the time of the client for each call. */
export async function measureLoad(server: ServerProcess, options: CallerOptions): Promise<Measured> {
  const before = server.cpuTime();
  const result = await generateLoad(server.address, options);
  return { costs: { cpuUs: server.cpuUsSince(before) / result.calls, ...timesOf(result, options) } };
}

/**
 * timesOf returns the time of a call: its median, or with several at once, the time of all calls divided by their number.
 * With new connections it is the time until the last of them has its first response.
 */
function timesOf(
  result: CallerResult,
  { inFlight = 1, scenario }: CallerOptions,
): { wallUs: number; p99Us: number } {
  const { p50Us, p99Us, wallUs, calls, lastFirstAnswerUs } = result;
  if (scenario === 'connect') return { wallUs: lastFirstAnswerUs, p99Us };
  return { wallUs: inFlight === 1 ? p50Us : wallUs / calls, p99Us };
}
