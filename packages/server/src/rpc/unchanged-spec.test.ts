import { create, fromBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Encoding, ErrorReason, SpecRequestSchema, SpecResponseSchema } from '@btfd/api';
import { Encoded } from '../grpc/rpc.js';
import { vmlinuxAndModule } from '../testing/btf-bytes.js';
import { callBy, LOADER } from '../testing/callers.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { named, ofId, receiveSpec, sha256, type SpecRequestInit } from '../testing/receive-spec.js';
import { makeServices, type ServicesChoices } from '../testing/services.js';
import { TempDir } from '../testing/temp-dir.js';
import { spec } from './spec.js';
import { unchangedSpec } from './unchanged-spec.js';

const { vmlinux: VMLINUX, module: MODULE } = vmlinuxAndModule();

let dir: TempDir;
beforeEach(() => {
  dir = new TempDir();
});
afterEach(() => {
  dir[Symbol.dispose]();
});

/** A kernel with vmlinux (1) and a module (2), both with files, and a client that has vmlinux. */
async function setUp(limits: ServicesChoices['limits'] = {}) {
  const kernel = new FakeKernel();
  for (const [name, bytes] of [
    ['vmlinux', VMLINUX],
    ['mod', MODULE],
  ] as const) {
    kernel.add(name, bytes);
    dir.write(name, bytes);
  }
  const services = await makeServices(kernel, { dir: dir.path, limits });
  const unchanged = unchangedSpec(services);
  return {
    services,
    kernel,
    conditional: { ...named('vmlinux'), ifNoneMatch: { digest: await sha256(VMLINUX) } },
    ask: (request: SpecRequestInit, call = callBy()) => unchanged(create(SpecRequestSchema, request), call),
  };
}

describe('A client that has the kernel’s own BTF', () => {
  test('gets the message that a stream would send', async () => {
    const { services, kernel, conditional, ask } = await setUp();
    const { header } = await receiveSpec(services, conditional);
    const opens = kernel.opens;
    for (let call = 0; call < 2; call++) {
      const response = fromBinary(SpecResponseSchema, ask(conditional)?.wire ?? new Uint8Array());
      expect(response.part).toEqual({ case: 'header', value: header });
    }
    expect([header.notModified, kernel.opens]).toEqual([true, opens]);
  });

  test('is served by a stream until the daemon has read the BTF', async () => {
    const { conditional, ask } = await setUp();
    expect(ask(conditional)).toBeNull();
  });

  test('counts the BTF for the time of the call', async () => {
    const { services, conditional, ask } = await setUp({ maxSpecBytesPerPrincipal: VMLINUX.length });
    await receiveSpec(services, named('vmlinux'));
    expect(ask(conditional)).toBeInstanceOf(Encoded);
    expect(services.quotas.specBytes.inUse).toBe(0);
    using _ = services.quotas.specBytes.take(LOADER.principal);
    expect(() => ask(conditional)).toThrow(expect.objectContaining({ reason: ErrorReason.QUOTA_EXCEEDED }));
  });

  test('gets no response once it is gone', async () => {
    const { services, conditional, ask } = await setUp();
    await receiveSpec(services, named('vmlinux'));
    const reason = new Error('gone');
    expect(() => ask(conditional, callBy(LOADER, AbortSignal.abort(reason)))).toThrow(reason);
  });
});

describe('The stream serves', () => {
  test.each<[string, (conditional: SpecRequestInit) => SpecRequestInit]>([
    ['a client with other BTF', (request) => ({ ...request, ifNoneMatch: { digest: new Uint8Array(32) } })],
    [
      'a client with the BTF over another base',
      ({ ifNoneMatch, ...request }) => ({
        ...request,
        ifNoneMatch: { digest: ifNoneMatch?.digest ?? new Uint8Array(), baseDigest: new Uint8Array(32) },
      }),
    ],
    ['a client without BTF', () => named('vmlinux')],
    ['a module', (request) => ({ ...request, ...named('mod') })],
    ['an object by id', (request) => ({ ...request, ...ofId(1) })],
  ])('%s', async (_, change) => {
    const { services, conditional, ask } = await setUp();
    await receiveSpec(services, named('vmlinux'));
    await receiveSpec(services, named('mod'));
    const before = services.specs.cacheStats;
    expect(ask(change(conditional))).toBeNull();
    expect(services.specs.cacheStats).toEqual(before);
  });
});

test.each<[string, SpecRequestInit]>([
  ['no source', { source: { case: undefined } }],
  ['an empty name', named('')],
  ['TYPES', { encoding: Encoding.TYPES }],
  ['a base', { base: {} }],
  ['a short digest', { ifNoneMatch: { digest: new Uint8Array(31) } }],
])('A request with %s is refused as by the stream', async (_, change) => {
  const { services, conditional, ask } = await setUp();
  const request: SpecRequestInit = { ...conditional, ...change };
  const stream = spec(services)(create(SpecRequestSchema, request), callBy());
  const refusal: unknown = await stream[Symbol.asyncIterator]()
    .next()
    .catch((error: unknown) => error);
  expect(refusal).toMatchObject({ reason: ErrorReason.INVALID_REQUEST });
  expect(() => ask(request)).toThrow(refusal instanceof Error ? refusal.message : '');
});
