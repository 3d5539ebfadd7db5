import type { MessageInitShape } from '@bufbuild/protobuf';
import { BtfService, type CheckObjectRequestSchema, Encoding, type SpecRequestSchema } from '@btfd/api';
import { btfLoad, type BtfFd } from '@btfd/native';
import { Caller, encode, pathOf } from './caller.js';
import type { Child } from './child.js';
import { objectOfFindings } from './hostile-object.js';
import { nestedUnions, rejectedWithLog, tinyTypes, wideStructs } from './hostile-btf.js';

const { checkObject, getServerInfo, iterateHandles, loadHandle, resolveMembers } = BtfService.method;

/** The numbers of objects that another program holds while requests look for names and list objects. */
const OBJECTS = { quick: 1_000, full: 10_000 };

/** Case is one kind of heavy request. */
interface Case {
  readonly name: string;
  run(): Promise<unknown>;
}

/** Returns the requests whose work could grow with the number of objects. */
function casesOfManyObjects(caller: Caller, objects: number): Case[] {
  const path = pathOf(BtfService.method.spec);
  const { input } = BtfService.method.spec;
  const request = encode(input, { source: { case: 'name', value: 'nothing' }, encoding: Encoding.RAW });
  const times = objects / 10;
  return [
    {
      name: `${times} names that nothing has, among ${objects} objects`,
      run: async () => {
        for (let count = 0; count < times; count += 1) await caller.drain(path, request).catch(notFound);
      },
    },
    {
      name: `IterateHandles of ${objects} objects`,
      run: async () => caller.drain(pathOf(iterateHandles), encode(iterateHandles.input, {})),
    },
  ];
}

/** Returns the requests that block an event loop the longest. */
async function heavyCases(caller: Caller, quick: boolean): Promise<Case[]> {
  const load = async (rawBtf: Uint8Array): Promise<string> => {
    const ttl = { seconds: 600n, nanos: 0 };
    const { result } = await caller.call(loadHandle, { source: { case: 'rawBtf', value: rawBtf }, ttl });
    if (result.case !== 'handle') throw new Error('not loaded');
    return result.value.token;
  };
  const vmlinux = { case: 'name', value: 'vmlinux' } as const;
  const held = async (bytes: Uint8Array) => ({ case: 'handle', value: await load(bytes) }) as const;
  const unions = await held(nestedUnions(28));
  const tiny = await held(tinyTypes(quick ? 100_000 : 1_048_000));
  const wide = await held(wideStructs(quick ? 2 : 20));
  const spec = (name: string, init: MessageInitShape<typeof SpecRequestSchema>): Case => ({
    name,
    run: async () =>
      caller.drain(pathOf(BtfService.method.spec), encode(BtfService.method.spec.input, init)).catch(refused),
  });
  const { TYPES, C, RAW } = Encoding;
  const everything = { nameGlobs: ['*'] };
  const types = Array.from({ length: quick ? 2_000 : 45_000 }, (_, index) => ({
    id: index + 1,
    name: `type${index}`,
    detail: { case: 'fwd', value: { union: false } } as const,
  }));
  const rejected = rejectedWithLog();
  const check = (name: string, init: MessageInitShape<typeof CheckObjectRequestSchema>): Case => ({
    name,
    run: async () => caller.drain(pathOf(checkObject), encode(checkObject.input, init)).catch(invalid),
  });
  const findings = objectOfFindings(quick ? 2_000 : 65_000, 'gone'.repeat(100));
  const big = tinyTypes(quick ? 100_000 : 1_048_000);
  return [
    spec('RAW of vmlinux', { source: vmlinux, encoding: RAW }),
    spec('C of vmlinux', { source: vmlinux, encoding: C }),
    spec('TYPES of vmlinux', { source: vmlinux, encoding: TYPES }),
    spec('TYPES of vmlinux, a selection with closure', {
      source: vmlinux,
      encoding: TYPES,
      selection: { ...everything, closure: true },
    }),
    spec('RAW of vmlinux, a selection', { source: vmlinux, encoding: RAW, selection: everything }),
    spec('C of nested anonymous unions', { source: unions, encoding: C }),
    spec('TYPES of a million tiny types', { source: tiny, encoding: TYPES }),
    spec('C of a million tiny types', { source: tiny, encoding: C }),
    spec('RAW of a million tiny types', { source: tiny, encoding: RAW }),
    spec('RAW of a million tiny types, a selection', {
      source: tiny,
      encoding: RAW,
      selection: { kinds: [2] },
    }),
    spec('TYPES of structs with 65,535 members', { source: wide, encoding: TYPES }),
    spec('C of structs with 65,535 members', { source: wide, encoding: C }),
    {
      name: 'ResolveMembers in nested anonymous unions',
      run: async () =>
        caller.call(resolveMembers, {
          source: unions,
          paths: Array.from({ length: 20 }, () => 'hostile.no'),
        }),
    },
    {
      name: 'LoadHandle of 1 MiB of types',
      run: async () =>
        caller.call(loadHandle, { source: { case: 'types', value: { types } }, adaptToKernel: true }),
    },
    check('CheckObject of 8 MiB without an object', { object: new Uint8Array(8 * 1024 * 1024) }),
    check('CheckObject of an object with tens of thousands of findings', { object: findings }),
    { name: 'LoadHandle of a million tiny types', run: async () => load(big) },
    {
      name: 'LoadHandle that is rejected with 4 MiB of log',
      run: async () => {
        const source = { case: 'rawBtf', value: rejected } as const;
        return caller.call(loadHandle, { source, reportRejection: true, logSize: 4 * 1024 * 1024 });
      },
    },
  ];
}

/** Ignores NOT_FOUND. */
function notFound(error: unknown): void {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 5) throw error;
}

/** Ignores INVALID_ARGUMENT. */
function invalid(error: unknown): void {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 3) throw error;
}

/** Ignores RESOURCE_EXHAUSTED, because the daemon's work before it refused the request counts too. */
function refused(error: unknown): void {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 8) throw error;
}

/**
 * measureEventLoop prints how long heavy requests block the daemon's event loop, and how long other callers wait. It
 * also prints the delay of an idle process at the same time, which is the delay that the machine adds.
 */
export async function measureEventLoop(daemon: Child, idle: Child, quick: boolean): Promise<void> {
  using caller = new Caller(daemon.address);
  using other = new Caller(daemon.address);
  const request = encode(getServerInfo.input, {});
  console.log(`
Times in milliseconds while one request runs. "held, run": the longest time that the daemon’s event loop
was blocked, as CPU time of its thread, which is the time on an idle machine. "held max": the same by the
clock. "idle max": the same of an idle process, which is the delay that the machine adds. "small call":
the slowest of the small calls that another client made meanwhile.
`);
  const cases = await heavyCases(caller, quick);
  // Warms up only the connection, because the first read of an object counts too.
  await other.unaryBytes(pathOf(getServerInfo), request);
  const rows: Record<string, Record<string, number>> = {};
  const measure = async (heavy: Case): Promise<void> => {
    await Promise.all([daemon.loopDelay(), idle.loopDelay()]);
    const state = { running: true };
    const started = performance.now();
    const work = heavy.run().finally(() => (state.running = false));
    let slowest = 0;
    while (state.running) {
      const asked = performance.now();
      await other.unaryBytes(pathOf(getServerInfo), request);
      slowest = Math.max(slowest, performance.now() - asked);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await work;
    const total = performance.now() - started;
    const [{ max, p99, maxRun }, control] = await Promise.all([daemon.loopDelay(), idle.loopDelay()]);
    rows[heavy.name] = {
      'held, run': round(maxRun),
      'held max': round(max),
      'held p99': round(p99),
      'idle max': round(control.max),
      'small call': round(slowest),
      total: round(total),
    };
  };
  for (const heavy of cases) await measure(heavy);
  const count = quick ? OBJECTS.quick : OBJECTS.full;
  const objects: BtfFd[] = [];
  try {
    while (objects.length < count) objects.push(await btfLoad(tinyTypes(1), 0));
    for (const heavy of casesOfManyObjects(caller, count)) await measure(heavy);
  } finally {
    for (const object of objects) object.close();
  }
  console.table(rows);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
