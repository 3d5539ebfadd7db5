import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import type { ClientReadableStream } from '@grpc/grpc-js';
import { type Handle, type IterateHandlesResponse, Origin } from '@btfd/api';
import { btfIds } from './testing/bpftool.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';
import { intBtf } from './testing/sample-btf.js';
import { until } from './testing/until.js';

const SEED = 20_261_125;
const RUNS = 150;
const MAX_OPS = 25;

interface Open {
  readonly token: string;
  readonly id: number;
  /** The stream that holds the handle. */
  stream: HoldingStream | null;
}

/** A stream that holds one handle, on vmlinux. */
type HoldingStream = ClientReadableStream<IterateHandlesResponse>;

type Op =
  | { readonly op: 'load' | 'stream' }
  | {
      readonly op: 'open' | 'clone' | 'take' | 'close' | 'spec' | 'disconnect' | 'dead';
      readonly pick: number;
    };

const pick = fc.nat(999);
const operation: fc.Arbitrary<Op> = fc.oneof(
  { arbitrary: fc.record({ op: fc.constantFrom('load', 'stream') }), weight: 2 },
  {
    arbitrary: fc.record({
      op: fc.constantFrom('open', 'clone', 'take', 'close', 'spec', 'disconnect', 'dead'),
      pick,
    }),
    weight: 5,
  },
);

needs('bpf').describe('the handles of a real daemon, with calls in any order,', () => {
  let daemon: DaemonProcess;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  /** Run keeps the handles that one run has open, and makes the calls that change them. */
  class Run {
    readonly open: Open[] = [];
    readonly loaded: number[] = [];
    readonly dead: string[] = [];

    readonly #client: RawClient;

    constructor(client: RawClient) {
      this.#client = client;
    }

    async act(op: Op): Promise<void> {
      switch (op.op) {
        case 'load': {
          const source = { case: 'rawBtf', value: intBtf(1, 'lifecycle') } as const;
          const { result } = await this.#client.call('loadHandle', { source });
          if (result.case !== 'handle') throw new Error('refused');
          this.loaded.push(this.#add(result.value).id);
          return;
        }
        case 'stream':
          return this.#startStream();
        case 'dead': {
          const token = this.dead[op.pick % Math.max(1, this.dead.length)];
          if (token === undefined) return;
          const error = await failureOf(this.#client.call('takeHandle', { token }));
          expect(errorInfoOf(error).reason).toBe('HANDLE_NOT_FOUND');
          return;
        }
        case 'open':
        case 'clone':
        case 'take':
        case 'close':
        case 'spec':
        case 'disconnect': {
          const handle = this.open[op.pick % Math.max(1, this.open.length)];
          if (handle !== undefined) await this.#use(op.op, handle);
        }
      }
    }

    async end(): Promise<void> {
      for (const { stream } of this.open) stream?.cancel();
      const tokens = this.open.flatMap(({ token, stream }) => (stream === null ? [token] : []));
      expect((await this.#client.call('closeHandles', { tokens })).wasOpen).toEqual(tokens.map(() => true));
    }

    async #use(op: 'open' | 'clone' | 'take' | 'close' | 'spec' | 'disconnect', handle: Open): Promise<void> {
      const { token, id, stream } = handle;
      switch (op) {
        case 'open':
          this.#add((await this.#client.call('getHandleById', { id })).handle);
          return;
        case 'clone':
          this.#add((await this.#client.call('cloneHandle', { token })).handle);
          return;
        case 'take':
          expect((await this.#client.call('takeHandle', { token })).handle?.token).toBe(token);
          handle.stream = null;
          return;
        case 'close':
          this.#remove(handle);
          expect((await this.#client.call('closeHandles', { tokens: [token, token] })).wasOpen).toEqual([
            true,
            false,
          ]);
          return;
        case 'spec': {
          const source = { case: 'handle', value: token } as const;
          for await (const { part } of this.#client.stream('spec', { source, selection: { ids: [1] } })) {
            if (part.case === 'header') expect(part.value.info?.id).toBe(id);
          }
          return;
        }
        case 'disconnect':
          if (stream === null) return;
          this.#remove(handle);
          stream.cancel();
      }
    }

    async #startStream(): Promise<void> {
      const stream = this.#client.stream('iterateHandles', { hold: true, origins: [Origin.VMLINUX] });
      stream.on('error', () => null);
      const { handle } = await new Promise<IterateHandlesResponse>((resolve) => stream.once('data', resolve));
      this.#add(handle).stream = stream;
    }

    #add(handle: Handle | undefined): Open {
      const added = { token: handle?.token ?? '', id: handle?.info?.id ?? 0, stream: null };
      this.open.push(added);
      return added;
    }

    #remove(handle: Open): void {
      this.open.splice(this.open.indexOf(handle), 1);
      this.dead.push(handle.token);
    }
  }

  const fdsAre = (count: number) =>
    until(`${count} objects are open`, () => daemon.btfFds() === count, 5_000);

  test(`[H1] [S2] have one file descriptor each: ${RUNS} runs, seed ${SEED}`, async () => {
    const runs = fc.asyncProperty(
      fc.array(operation, { maxLength: MAX_OPS, size: 'max' }),
      async (operations) => {
        const client = new RawClient(daemon.address);
        const run = new Run(client);
        for (const op of operations) {
          await run.act(op);
          await fdsAre(run.open.length);
        }
        await run.end();
        client[Symbol.dispose]();
        await fdsAre(0);
        // The daemon of another test may hold an object for as long as it lists it.
        await until('the kernel has freed the loaded objects', () => {
          const ids = new Set(btfIds());
          return run.loaded.every((id) => !ids.has(id));
        });
      },
    );
    // A counterexample is reported sooner if it is not shrunk.
    await fc.assert(runs, { seed: SEED, numRuns: RUNS, endOnFailure: true });
  });

  test('[L2] [S2] [S3] are closed only by the end of their lease or of the stream that holds them', async () => {
    const client = new RawClient(daemon.address);
    const run = new Run(client);
    for (let i = 0; i < 4; i++) await run.act({ op: 'stream' });
    await run.act({ op: 'take', pick: 0 });
    const load = async (seconds: bigint) =>
      client.call('loadHandle', {
        source: { case: 'rawBtf', value: intBtf(1, 'leased') },
        ttl: { seconds },
      });
    await Promise.all(Array.from({ length: 5 }, async () => load(1n)));
    const kept = await Promise.all(Array.from({ length: 5 }, async () => load(60n)));
    await until('the short leases end', () => daemon.btfFds() === 4 + 5);
    for (const { stream } of run.open) stream?.cancel();
    await fdsAre(1 + 5);
    client[Symbol.dispose]();
    using other = new RawClient(daemon.address);
    const tokens = kept.flatMap(({ result }) => (result.case === 'handle' ? result.value.token : []));
    await other.call('closeHandles', { tokens: [...tokens, run.open[0]?.token ?? ''] });
    await fdsAre(0);
  });
});
