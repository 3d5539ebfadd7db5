import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Builder } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { BtfClient } from '../client.js';
import { FakeDaemon } from '../fake-daemon/index.js';
import type { Handle } from '../handle.js';
import type { IteratedHandle } from '../iterated-handle.js';
import { deadlineOf } from '../testing/daemon-calls.js';
import { rejection } from '../testing/promises.js';
import { tinyBtf } from '../testing/tiny-btf.js';
import type { TlsOptions } from '../call/tls-options.js';

/** Values that a caller without types may pass, and that are rejected. */
type Bad = readonly unknown[];

/** Options are an object without required fields. */
type IsOptions<T> = T extends readonly unknown[]
  ? false
  : T extends object
    ? object extends T
      ? true
      : false
    : false;

/** Rejected values of an argument, or of each option in it: a new option without any does not compile. */
type BadArgument<T> = IsOptions<T> extends true ? { readonly [O in keyof T]-?: Bad } : Bad;

type BadArguments<A extends readonly unknown[]> = {
  readonly [I in keyof A]: BadArgument<A[I]>;
};

/** Rejected values for each method: a new method without any does not compile. */
type BadCalls<T> = {
  readonly [
    M in keyof T as T[M] extends (...args: infer A) => unknown
      ? A extends readonly []
        ? never
        : M extends string
          ? M
          : never
      : never
  ]: T[M] extends (...args: infer A) => unknown ? BadArguments<Required<A>> : never;
};

const NO_SIGNAL = [5, 'x', null, {}];
const NO_FUNCTION = [5, 'x', null, {}];
const NO_MS = [NaN, -1, '1000', null];
const NO_TTL = [...NO_MS, Infinity, 1e15];
const NO_COUNT = [NaN, -1, 1.5, '1', null];
const NO_UINT32 = [...NO_COUNT, 2 ** 32];
const NO_NAME = [5, null, undefined, {}];
const NO_STRINGS = ['x', 5, null, [1], [undefined], {}];
const NO_NUMBERS = [1, '1', null, [-1], [1.5], ['1']];
const NO_CHOICES = ['module', 5, null, ['size'], ['toString'], [1]];

const CALL = { signal: NO_SIGNAL, timeout: NO_MS };
const LEASE = { ...CALL, ttl: NO_TTL };
const LOAD = { ...LEASE, logSize: NO_UINT32, adaptToKernel: [1, 'true', null] };
const WATCH = { signal: NO_SIGNAL, origins: NO_CHOICES, nameGlobs: NO_STRINGS };
const ITERATE = { ...WATCH, afterId: NO_UINT32, details: NO_CHOICES };
const NO_FLAG = [5, 'yes', null];
const TRANSFER = { signal: NO_SIGNAL, onProgress: NO_FUNCTION };
const C_HEADER = { ...TRANSFER, sorted: NO_FLAG, kfuncs: NO_FLAG, assertions: NO_FLAG, onNote: NO_FUNCTION };
const SELECTION = { names: NO_STRINGS, nameGlobs: NO_STRINGS, kinds: NO_NUMBERS, ids: NO_NUMBERS };
const SPEC = {
  ...TRANSFER,
  ...SELECTION,
  base: [5, 'vmlinux', {}, new Uint8Array()],
  closure: [false, 'yes', null],
};
const CHECK = {
  ...CALL,
  loader: ['bpftool', 'toString', 1, null],
  kernel: ['vmlinux', -1, 1.5, 2 ** 32, null, {}],
  modules: NO_STRINGS,
  programs: [...NO_STRINGS, []],
  variables: ['x', 5, null, []],
  attachTargets: ['x', 5, null, []],
  kernelVersion: NO_UINT32,
  all: NO_FLAG,
};
const NO_BTF = [5, null, undefined, 'abc', {}, [1]];

const OF_CLIENT: BadCalls<BtfClient> = {
  loadHandle: [NO_BTF, LOAD],
  tryLoadHandle: [NO_BTF, LOAD],
  getHandleById: [[...NO_UINT32, undefined], LEASE],
  iterateHandles: [ITERATE],
  listObjects: [{ ...ITERATE, maxObjects: NO_COUNT }],
  watchHandles: [WATCH],
  findHandle: [[...NO_FUNCTION, undefined], { ...ITERATE, ttl: NO_TTL }],
  spec: [NO_NAME, SPEC],
  rawBtf: [NO_NAME, TRANSFER],
  selectTypes: [NO_NAME, SELECTION, TRANSFER],
  resolveMembers: [NO_NAME, [...NO_STRINGS, undefined], CALL],
  cHeader: [NO_NAME, SELECTION, C_HEADER],
  checkObject: [NO_BTF, CHECK],
  checkObjectStream: [NO_BTF, CHECK],
  serverInfo: [{ ...CALL, details: NO_CHOICES }],
};

const OF_BOTH_HANDLES = {
  spec: [SPEC],
  rawBtf: [TRANSFER],
  selectTypes: [SELECTION, TRANSFER],
  cHeader: [SELECTION, C_HEADER],
  resolveMembers: [[...NO_STRINGS, undefined], CALL],
  inspect: [{ ...CALL, details: NO_CHOICES }],
} as const;

const OF_HANDLE: BadCalls<Handle> = { ...OF_BOTH_HANDLES, clone: [LEASE], renew: [CALL], close: [CALL] };

const OF_ITERATED_HANDLE: BadCalls<IteratedHandle> = { ...OF_BOTH_HANDLES, take: [LEASE] };

/** Valid arguments, by name, to pass together with a wrong one. */
const GOOD: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  loadHandle: { btf: tinyBtf('u32'), options: {} },
  tryLoadHandle: { btf: tinyBtf('u32'), options: {} },
  getHandleById: { id: 1, options: {} },
  findHandle: { predicate: () => false, options: {} },
  spec: { name: 'vmlinux', options: {} },
  rawBtf: { name: 'vmlinux', options: {} },
  selectTypes: { name: 'vmlinux', selection: {}, options: {} },
  resolveMembers: { name: 'vmlinux', paths: [], options: {} },
  cHeader: { name: 'vmlinux', selection: {}, options: {} },
  checkObject: { object: new Uint8Array(), options: {} },
  checkObjectStream: { object: new Uint8Array(), options: {} },
};

let daemon: FakeDaemon;
let client: BtfClient;

beforeAll(async () => {
  daemon = await FakeDaemon.start({ objects: [{ id: 1, name: 'vmlinux', btf: tinyBtf('u32') }] });
  client = new BtfClient(daemon.address);
});

afterAll(async () => {
  await client.close();
  await daemon.stop();
});

type Case = [call: string, field: string, wrong: Bad, args: (wrong: unknown) => unknown[]];

/** Returns a case for each argument and each option. */
function casesOf(calls: object, withoutName: boolean): Case[] {
  return Object.entries(calls).flatMap(([method, args]: [string, readonly (Bad | object)[]]) => {
    const { name, ...others } = GOOD[method] ?? { options: {} };
    const good = Object.entries(withoutName || name === undefined ? others : { name, ...others });
    return args.flatMap((wrongs, index) => {
      const argument = good[index]?.[0] ?? '';
      const withWrong = (wrong: unknown): unknown[] =>
        good.map(([, value], i) => (i === index ? wrong : value));
      if (Array.isArray(wrongs)) return [[method, argument, wrongs, withWrong] satisfies Case];
      return [
        [method, argument, [5, 'x', null, []], withWrong] satisfies Case,
        [method, 'nonsense', [1], (wrong) => withWrong({ nonsense: wrong })] satisfies Case,
        ...Object.entries(wrongs).map(([option, wrong]: [string, Bad]): Case => [
          method,
          option,
          wrong,
          (value) => withWrong({ [option]: value }),
        ]),
      ];
    });
  });
}

/** Returns the errors of calls of a method, each with another wrong argument. None of the calls throws. */
async function failures(of: object, method: string, calls: readonly unknown[][]): Promise<unknown[]> {
  const results = calls.map((args): unknown => Reflect.apply(Reflect.get(of, method), of, args));
  return Promise.all(
    results.map(async (result) => rejection(isIteration(result) ? result.next() : Promise.resolve(result))),
  );
}

function isIteration(value: unknown): value is AsyncGenerator {
  return typeof value === 'object' && value !== null && 'next' in value;
}

function refusal(field: string): object {
  return {
    code: status.INVALID_ARGUMENT,
    reason: 'INVALID_REQUEST',
    message: expect.stringMatching(
      field === 'nonsense'
        ? /^nonsense: unknown option: use one of \w+/
        : new RegExp(`^${field}(\\[\\d\\])?: must be `),
    ),
    fieldViolations: [{ field: expect.stringContaining(field), description: expect.any(String) }],
  };
}

test.each(casesOf(OF_CLIENT, false))(
  '%s of a client rejects a wrong %s',
  async (method, field, wrong, args) => {
    const calls = daemon.calls.length;
    const failed = await failures(client, method, wrong.map(args));
    expect(failed).toEqual(wrong.map(() => expect.objectContaining(refusal(field))));
    expect(daemon.calls).toHaveLength(calls);
  },
);

test.each(casesOf(OF_HANDLE, true))(
  '%s of a handle rejects a wrong %s',
  async (method, field, wrong, args) => {
    await using handle = await client.getHandleById(1);
    const failed = await failures(handle, method, wrong.map(args));
    expect(failed).toEqual(wrong.map(() => expect.objectContaining(refusal(field))));
    // The handle is still open.
    expect(await handle.renew()).toBeGreaterThan(0);
  },
);

test.each(casesOf(OF_ITERATED_HANDLE, true))(
  '%s of the handle of an iteration rejects a wrong %s',
  async (method, field, wrong, args) => {
    for await (const handle of client.iterateHandles()) {
      const failed = await failures(handle, method, wrong.map(args));
      expect(failed).toEqual(wrong.map(() => expect.objectContaining(refusal(field))));
    }
  },
);

const NO_PATHS = ['unix:run/x.sock', 'unix://run/x.sock', 'unix:/', 'unix://', 'unix:///'];

const WRONG_CLIENT: BadArguments<Required<ConstructorParameters<typeof BtfClient>>> = [
  [
    5,
    null,
    undefined,
    '',
    'host',
    'host:x',
    'host:65536',
    'http://host:1',
    'unix:',
    '/run/btfd.sock',
    ...NO_PATHS,
  ],
  {
    tls: [5, null, 'x'],
    credentials: [5, null, {}],
    timeout: NO_MS,
    retries: NO_COUNT,
    metadata: [5, null, 'x', []],
    interceptors: [5, null, [5], {}],
    onDaemonChange: NO_FUNCTION,
    specCacheBytes: NO_COUNT,
    specCacheDir: [5, null, ''],
    specCacheDirBytes: NO_COUNT,
    channelOptions: [
      5,
      null,
      'x',
      { 'grpc.keepalive_time_ms': '5' },
      { 'grpc.default_authority': 5 },
      { 'grpc-node.flow_control_window': -1 },
    ],
  },
];

const NO_PEM = [5, null, {}];
const WRONG_TLS: BadArgument<TlsOptions> = {
  ca: [...NO_PEM, 'x', '', new Uint8Array(), '/etc/ca.pem'],
  cert: NO_PEM,
  key: NO_PEM,
  serverName: [5, null],
};

test.each([
  ...WRONG_CLIENT[0].map((address): [string, unknown, unknown] => ['address', address, {}]),
  ...[5, null, 'x', []].map((options): [string, unknown, unknown] => ['options', 'host:1', options]),
  ...Object.entries(WRONG_CLIENT[1]).flatMap(([option, wrong]) =>
    wrong.map((value): [string, unknown, unknown] => [option, 'host:1', { [option]: value }]),
  ),
  ...Object.entries(WRONG_TLS).flatMap(([option, wrong]) =>
    wrong.map((value): [string, unknown, unknown] => [
      `tls.${option}`,
      'host:1',
      { tls: { [option]: value } },
    ]),
  ),
  ['nonsense', 'host:1', { nonsense: 1 }],
  ['tls.nonsense', 'host:1', { tls: { nonsense: 1 } }],
  ['tls', 'unix:/run/btfd/btfd.sock', { tls: {} }],
  ['metadata.key', 'host:1', { metadata: { key: 5 } }],
  ['metadata.a key', 'host:1', { metadata: { 'a key': 'x' } }],
])('a client rejects a wrong %s: %j, %j', (field, address, options) => {
  const make = (): unknown => Reflect.construct(BtfClient, [address, options]);
  expect(make).toThrow(
    expect.objectContaining({
      code: status.INVALID_ARGUMENT,
      reason: 'INVALID_REQUEST',
      fieldViolations: [
        { field: expect.stringContaining(field), description: expect.stringMatching(/^(must|unknown)/) },
      ],
    }),
  );
});

test('the error about metadata does not contain its value', async () => {
  const metadata = { authorization: 'secret\n' };
  expect(() => new BtfClient('host:1', { metadata })).toThrow(
    /^metadata.authorization: must be (?!.*secret)/,
  );
  await using asked = new BtfClient(daemon.address, { metadata: () => metadata });
  expect(await rejection(asked.serverInfo())).toMatchObject({
    reason: 'INVALID_REQUEST',
    message: expect.not.stringContaining('secret'),
  });
});

test('the metadata that a function returns is checked at each call', async () => {
  await using asked = new BtfClient(daemon.address, { metadata: () => JSON.parse('{"key": 5}') });
  expect(await rejection(asked.serverInfo())).toMatchObject({ reason: 'INVALID_REQUEST' });
});

test('an undefined option counts as absent', async () => {
  const options = { tls: undefined, credentials: undefined, timeout: undefined, metadata: undefined };
  await using unset = new BtfClient(daemon.address, options);
  expect((await unset.getHandleById(1, { ttl: undefined, signal: undefined })).info.id).toBe(1);
});

test.each([Infinity, 2 ** 31, Number.MAX_VALUE])('a timeout of %d ms sets no deadline', async (timeout) => {
  expect((await client.serverInfo({ timeout })).version).toBe('0.0.0-fake');
  expect(deadlineOf(daemon, 'getServerInfo')).toBe(Infinity);
});

test('a TTL may have fractions of a millisecond', async () => {
  expect((await client.getHandleById(1, { ttl: 1500.5 })).info.id).toBe(1);
});

test('an inherited option is checked too', async () => {
  const options = Object.create({ timeout: '1000' });
  expect(await rejection(client.serverInfo(options))).toMatchObject(refusal('timeout'));
});

test('the error about a Builder that cannot be marshalled has the cause', async () => {
  const builder = new Builder();
  builder.add({ kind: 'PTR', typeId: 77 });
  expect(await rejection(client.loadHandle(builder))).toMatchObject({
    ...refusal('btf'),
    message: expect.stringContaining('77'),
    cause: expect.objectContaining({ name: 'BtfBuildError' }),
  });
});
