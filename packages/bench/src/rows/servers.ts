import type { MessageInitShape } from '@bufbuild/protobuf';
import { BtfService, Encoding, type SpecRequestSchema } from '@btfd/api';
import { Caller, encode, pathOf } from '../event-loop/caller.js';
import type { Lab } from '../peers/lab.js';
import { cpuUsBetween } from '../peers/process-stats.js';
import { programPath } from '../peers/programs.js';
import type { ServerProcess } from '../peers/server-process.js';
import type { Costs, OpenProbe, Row } from '../run/row.js';
import { vmlinuxId } from './wire.js';

const { getHandleById, getServerInfo, spec } = BtfService.method;
const HANDLES = 10_000;
const IN_FLIGHT = 64;
/** The time in which Node and Go give back memory that they no longer need at once. */
const SETTLE_MS = 1_000;

/** Measures a server that was just started. `startedMs` is the time at which its start began. */
type Measure = (server: ServerProcess, startedMs: number) => Promise<Costs>;

/** Returns a probe of a server that is new in each round. */
function fresh(start: (lab: Lab) => Promise<() => Promise<ServerProcess>>, measure: Measure): OpenProbe {
  return async (lab) => {
    const restart = await start(lab);
    return {
      async measure() {
        const started = performance.now();
        await using server = await restart();
        return { costs: await measure(server, started) };
      },
    };
  };
}

function daemonWith(...args: readonly string[]) {
  return async (lab: Lab) => {
    lab.packed();
    return async () => lab.startDaemon(...args);
  };
}

const START_DAEMON = daemonWith();
const START_GO = async (lab: Lab) => {
  programPath('go-service');
  return async () => lab.startGoService();
};
const START_BARE = async (lab: Lab) => {
  const recording = await lab.recordCalls(firstCall);
  return async () => lab.startBare(recording);
};

async function firstCall(address: string): Promise<void> {
  using caller = new Caller(address);
  await caller.unaryBytes(pathOf(getServerInfo), encode(getServerInfo.input, {}));
}

const toFirstAnswer: Measure = async (server, startedMs) => {
  await firstCall(server.address);
  const wallUs = (performance.now() - startedMs) * 1000;
  return { coldWallUs: wallUs, coldCpuUs: cpuUsBetween({ schedUs: 0, statUs: 0 }, server.cpuTime()) };
};

/** Returns a measure of a server's memory after some calls. */
function memoryAfter(work: (caller: Caller) => Promise<void>): Measure {
  return async (server) => {
    using caller = new Caller(server.address);
    await caller.unaryBytes(pathOf(getServerInfo), encode(getServerInfo.input, {}));
    await work(caller);
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    return { rssKib: server.rssKib() };
  };
}

/** Reads the kernel's own BTF in each encoding. */
async function readAll(caller: Caller): Promise<void> {
  for (const encoding of [Encoding.RAW, Encoding.TYPES, Encoding.C]) {
    const request: MessageInitShape<typeof SpecRequestSchema> = {
      source: { case: 'name', value: 'vmlinux' },
      encoding,
    };
    await caller.drain(pathOf(spec), encode(spec.input, request));
  }
}

/** holdHandles gets handles on the kernel's own BTF, which stay open. */
export async function holdHandles(caller: Caller, count: number): Promise<void> {
  const request = encode(getHandleById.input, { id: vmlinuxId(), ttl: { seconds: 3_600n, nanos: 0 } });
  let left = count;
  const getSome = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await caller.unaryBytes(pathOf(getHandleById), request);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, getSome));
}

const idle = memoryAfter(async () => {});
const holding = memoryAfter(async (caller) => holdHandles(caller, HANDLES));

/** SERVER_ROWS measure servers that are new in each round: their start and their memory. */
export const SERVER_ROWS: readonly Row[] = [
  {
    name: 'process/start',
    title: 'start of the server, to its first response',
    subjects: {
      btfd: fresh(START_DAEMON, toFirstAnswer),
      bare: fresh(START_BARE, toFirstAnswer),
      go: fresh(START_GO, toFirstAnswer),
    },
    goals: [{ metric: 'coldWallUs', peer: 'bare', atMost: 1.7 }],
    guards: [{ metric: 'coldCpuUs', peer: 'bare' }],
  },
  {
    name: 'memory/idle',
    title: 'memory after the first call',
    subjects: { btfd: fresh(START_DAEMON, idle), bare: fresh(START_BARE, idle), go: fresh(START_GO, idle) },
    goals: [{ metric: 'rssKib', peer: null, atMost: 75 * 1024 }],
    guards: [{ metric: 'rssKib', peer: 'bare' }],
  },
  {
    name: 'memory/encodings',
    title: 'memory after RAW, TYPES and C of vmlinux',
    subjects: { btfd: fresh(START_DAEMON, memoryAfter(readAll)) },
    goals: [{ metric: 'rssKib', peer: null, atMost: 150 * 1024 }],
  },
  {
    name: 'memory/handles',
    title: `memory with ${HANDLES.toLocaleString('en')} handles`,
    subjects: {
      // One principal may have a quarter.
      btfd: fresh(daemonWith('--max-handles', String(4 * HANDLES)), holding),
      go: fresh(START_GO, holding),
    },
    goals: [{ metric: 'rssKib', peer: null, atMost: 120 * 1024 }],
  },
];
