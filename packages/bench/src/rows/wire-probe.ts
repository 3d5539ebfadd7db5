import { generateLoad, type CallerOptions, type CallerResult } from '../peers/load-generator.js';
import { programPath } from '../peers/programs.js';
import type { Lab } from '../peers/lab.js';
import type { ServerProcess } from '../peers/server-process.js';
import type { Measured, OpenProbe } from '../run/row.js';

/** Load is what the load generator does in one round. */
export interface Load extends Omit<CallerOptions, 'requests'> {
  readonly full: number;
  readonly quick: number;
}

/** LoadOf returns the load of a row. */
export type LoadOf = (lab: Lab) => Load | Promise<Load>;

/** Calls before the first round, which compile the server's code. */
const WARM_UP = { full: 2, quick: 1 };

/** onServers returns the probes of a row that puts the same load on the daemon, on bare grpc-js and on the Go service. */
export function onServers(loadOf: LoadOf): Record<'btfd' | 'bare' | 'go', OpenProbe> {
  return {
    btfd: async (lab) => probeOf(lab, await lab.daemon(), await loadOf(lab)),
    bare: async (lab) => {
      programPath('go-caller');
      const load = await loadOf(lab);
      // Each distinct call is recorded once. Later ones are the same.
      const recording = await lab.recordCalls(async (address) =>
        generateLoad(address, { ...load, requests: 1, inFlight: 1, connections: 1 }),
      );
      const server = await lab.startBare(recording);
      const probe = await probeOf(lab, server, load);
      return { ...probe, close: async () => server[Symbol.asyncDispose]() };
    },
    go: async (lab) => probeOf(lab, await lab.goService(), await loadOf(lab)),
  };
}

async function probeOf(lab: Lab, server: ServerProcess, load: Load) {
  const requests = lab.quick ? load.quick : load.full;
  const warmUps = lab.quick ? WARM_UP.quick : WARM_UP.full;
  for (let count = 0; count < warmUps; count++) await generateLoad(server.address, { ...load, requests });
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
