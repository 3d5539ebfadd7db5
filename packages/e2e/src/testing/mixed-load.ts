import { setTimeout } from 'node:timers/promises';
import { status, type ClientReadableStream } from '@grpc/grpc-js';
import { RawClient } from './raw-client.js';
import { intBtf } from './sample-btf.js';

/** Outcomes are the numbers of operations that ended with each status, by keys such as `clone OK`. */
export type Outcomes = Map<string, number>;

/** MixedLoadOptions are the amount of load. */
export interface MixedLoadOptions {
  /** The number of operations of all clients together. */
  readonly operations: number;
  /** The number of concurrent clients. */
  readonly clients: number;
}

type Operation = (client: RawClient) => Promise<unknown>;

/** The shortest lease that the daemon grants, so that abandoned handles are gone soon. */
const TTL = { seconds: 1n, nanos: 0 } as const;
const BY_NAME = { case: 'name', value: 'vmlinux' } as const;
const ENCODING_TYPES = 2;
const ENCODING_C = 3;
const GOOD = { source: { case: 'rawBtf', value: intBtf(1, 'soak') }, ttl: TTL } as const;
/** Truncated BTF, whose string section begins after its end. */
const BAD = { source: { case: 'rawBtf', value: intBtf(1, 'soak').subarray(0, 40) }, ttl: TTL } as const;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  open: async (client) => {
    const token = await open(client);
    await client.call('getHandleInfo', { token });
    await client.call('closeHandles', { tokens: [token] });
  },
  'open and leave': open,
  clone: async (client) => {
    const token = await open(client);
    const { handle } = await client.call('cloneHandle', { token, ttl: TTL });
    await client.call('closeHandles', { tokens: [token, handle?.token ?? ''] });
  },
  'load and leave': async (client) => client.call('loadHandle', GOOD),
  load: async (client) => {
    const { result } = await client.call('loadHandle', GOOD);
    const token = result.case === 'handle' ? result.value.token : '';
    await client.call('renewHandles', { tokens: [token, 'no token'] });
    await client.call('closeHandles', { tokens: [token, token] });
  },
  'load what is refused': async (client) => client.call('loadHandle', BAD),
  'iterate to the end': async (client) => drain(client.stream('iterateHandles', {})),
  'hold and take': async (client) => {
    const stream = client.stream('iterateHandles', { hold: true });
    await leave(stream, 1, async ({ handle }) =>
      client.call('takeHandle', { token: handle?.token ?? '', ttl: TTL }),
    );
  },
  'hold and leave': async (client) => leave(client.stream('iterateHandles', { hold: true }), 1),
  'read all': async (client) => drain(client.stream('spec', { source: BY_NAME })),
  'read some and leave': async (client) => leave(client.stream('spec', { source: BY_NAME }), 3),
  'types and leave': async (client) =>
    leave(client.stream('spec', { source: BY_NAME, encoding: ENCODING_TYPES }), 2),
  'a closure': async (client) =>
    drain(
      client.stream('spec', {
        source: BY_NAME,
        encoding: ENCODING_TYPES,
        selection: { names: ['list_head'], closure: true },
      }),
    ),
  'a header': async (client) =>
    drain(
      client.stream('spec', { source: BY_NAME, encoding: ENCODING_C, selection: { names: ['list_head'] } }),
    ),
  members: async (client) =>
    client.call('resolveMembers', { source: BY_NAME, paths: ['task_struct.mm.pgd', 'no.such'] }),
  'too late': async (client) =>
    client.call(
      'resolveMembers',
      { source: BY_NAME, paths: ['task_struct.pid'] },
      { deadline: Date.now() + 2 },
    ),
  'a client that goes': async (client) => {
    const gone = client.call('loadHandle', GOOD);
    client[Symbol.dispose]();
    await gone;
  },
};

/** mixedLoad makes every kind of call at the same time, as careless, impatient and killed clients do. */
export async function mixedLoad(
  address: string,
  { operations, clients }: MixedLoadOptions,
): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  let left = operations;
  const names = Object.keys(OPERATIONS);
  const work = async (first: number): Promise<void> => {
    let client = new RawClient(address);
    for (let turn = first; left > 0; turn++) {
      left--;
      const name = names[(turn * 7 + first) % names.length] ?? '';
      const code = await codeOf(OPERATIONS[name]?.(client));
      const key = `${name} ${status[code]}`;
      outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
      if (name === 'a client that goes') client = new RawClient(address);
      // The load is about the mixture, not about pressure, so it leaves the daemon a processor.
      await setTimeout(1);
    }
    client[Symbol.dispose]();
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => work(index)));
  return outcomes;
}

async function open(client: RawClient): Promise<string> {
  const { handle } = await client.call('getHandleById', { id: 1, ttl: TTL });
  return handle?.token ?? '';
}

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const message of stream) void message;
}

/** Reads some messages and cancels the stream. */
async function leave<T>(
  stream: ClientReadableStream<T>,
  count: number,
  use: (message: T) => Promise<unknown> = async () => {},
): Promise<void> {
  const messages: AsyncIterable<T> = stream;
  stream.on('error', () => {});
  let read = 0;
  try {
    for await (const message of messages) {
      await use(message);
      read += 1;
      if (read >= count) break;
    }
  } finally {
    stream.cancel();
  }
}

async function codeOf(operation: Promise<unknown> | undefined): Promise<status> {
  try {
    await operation;
    return status.OK;
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'number') return error.code;
    throw error;
  }
}
