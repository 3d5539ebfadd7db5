import { readFileSync } from 'node:fs';
import { BtfService } from '@btfd/api';
import { Caller, encode, pathOf } from '../event-loop/caller.js';
import { driverCommand, runDriver, type DriverName } from '../peers/drivers.js';
import type { Lab } from '../peers/lab.js';
import { programPath } from '../peers/programs.js';
import type { ServerProcess } from '../peers/server-process.js';
import type { OpenProbe, Row } from '../run/row.js';
import { growingBtf } from './growing-btf.js';
import { costsOf } from './library.js';
import { holdHandles } from './servers.js';
import { measureLoad, onServers, probeOf } from './wire-probe.js';
import { vmlinuxId } from './wire.js';

const TYPES = [10_000, 31_623, 100_000, 316_228, 1_000_000];
const HANDLES = [1_000, 3_162, 10_000, 31_623, 100_000];
const CLIENTS = [1, 8, 60, 500];
/** File descriptors of a server for everything except handles. */
const OTHER_FILES = 4_000;
/** Calls of each client. */
const CALLS = 20;
const REPETITIONS = { least: 6, most: 40 };
/** Types of all repetitions together. An engine needs more repetitions of little work until all code is compiled. */
const REPEATED_TYPES = 1_000_000;

/** Returns a probe of a driver with files of different sizes. */
function driver(name: DriverName, row: string): OpenProbe {
  return async (lab) => {
    const command = driverCommand(name, lab.nodeArgs);
    return {
      async measure(size) {
        const file = lab.file(`types-${size}`, () => growingBtf(size));
        const count = Math.min(REPETITIONS.most, Math.max(REPETITIONS.least, REPEATED_TYPES / size));
        const { cpuUs, wallUs, result } = await runDriver(command, row, file, Math.round(count));
        return { costs: costsOf(cpuUs, wallUs), result };
      },
    };
  };
}

function byTypes(row: string, title: string, names: readonly DriverName[]): Row {
  return {
    name: `growth/${row}`,
    title,
    sizes: TYPES,
    quickSizes: TYPES.slice(0, 3),
    subjects: Object.fromEntries(names.map((name) => [name, driver(name, row)])),
  };
}

/** Returns a probe of a server that holds handles, one size after the other. Sizes must grow. */
function withHandles(start: (lab: Lab) => Promise<ServerProcess>): OpenProbe {
  return async (lab) => {
    programPath('go-caller');
    const server = await start(lab);
    const caller = new Caller(server.address);
    const load = { scenario: 'get-close', id: vmlinuxId(), requests: 1_000, inFlight: 16 } as const;
    await measureLoad(server, load);
    let held = 0;
    return {
      async measure(size) {
        if (size + OTHER_FILES > openFiles()) return null;
        await holdHandles(caller, size - held);
        held = size;
        const { costs } = await measureLoad(server, load);
        return { costs: { ...costs, rssKib: server.rssKib() } };
      },
      async close() {
        caller[Symbol.dispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  };
}

/** Returns the largest number of file descriptors that a process may have. */
function openFiles(): number {
  const limits = readFileSync('/proc/self/limits', 'latin1');
  return Number(/^Max open files +\d+ +(\d+)/m.exec(limits)?.[1] ?? Infinity);
}

const { getServerInfo } = BtfService.method;
const INFO = { path: pathOf(getServerInfo), request: encode(getServerInfo.input, {}) };

const CONNECT = { scenario: 'connect', call: INFO, full: CALLS, quick: CALLS } as const;

/** Returns a probe of a daemon that accepts all clients from one user, who may have a quarter of its connections. */
const withManyConnections: OpenProbe = async (lab) => {
  const server = await lab.startDaemon('--max-connections', String(5 * Math.max(...CLIENTS)));
  const probe = await probeOf(lab, server, CONNECT);
  return { ...probe, close: async () => server[Symbol.asyncDispose]() };
};

/** GROWTH_ROWS measure how costs grow with the number of types, of handles and of clients. */
export const GROWTH_ROWS: readonly Row[] = [
  byTypes('index', 'index, by types', ['btfd', 'libbpf', 'cilium']),
  byTypes('names', '100,000 random lookups by name, by types', ['btfd', 'cilium']),
  byTypes('rebuild', 'copy and marshal, by types', ['btfd', 'libbpf', 'cilium']),
  byTypes('dedup', 'deduplicate the BTF twice in one, by types', ['btfd', 'libbpf']),
  {
    name: 'growth/handles',
    title: 'get and close a handle, by handles that others hold',
    sizes: HANDLES,
    quickSizes: HANDLES.slice(0, 2),
    subjects: {
      btfd: withHandles(async (lab) =>
        // One principal may have a quarter.
        lab.startDaemon('--max-handles', String(4 * openFiles())),
      ),
      go: withHandles(async (lab) => lab.startGoService()),
    },
  },
  {
    name: 'growth/clients',
    title: 'the last first response, by clients that connect at once',
    sizes: CLIENTS,
    quickSizes: CLIENTS.slice(0, 3),
    subjects: { ...onServers(() => CONNECT), btfd: withManyConnections },
  },
];
