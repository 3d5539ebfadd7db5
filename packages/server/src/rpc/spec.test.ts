import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from '@jest/globals';
import { ByteOrder, Encoding, ErrorReason, Origin, SpecRequestSchema, SpecResponseSchema } from '@btfd/api';
import { BtfFormatError } from '@btfd/btf';
import { BtfWriter, intBtf, vmlinuxAndModule } from '../testing/btf-bytes.js';
import { Encoded } from '../grpc/rpc.js';
import { callBy, LOADER } from '../testing/callers.js';
import { collect } from '../testing/collect.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import {
  named,
  ofHandle,
  ofId,
  receiveSpec,
  sha256,
  startSpec,
  type SpecRequestInit,
} from '../testing/receive-spec.js';
import { makeServices } from '../testing/services.js';
import { failureOf, reasonOf } from '../testing/service-error.js';
import { spec } from './spec.js';

const { vmlinux: VMLINUX, module: MODULE } = vmlinuxAndModule();
const USERS = intBtf('users');

/** A kernel with vmlinux (1), a module (2) and a user's object (3). */
async function setUp() {
  const kernel = new FakeKernel();
  const ids = {
    vmlinux: kernel.add('vmlinux', VMLINUX),
    module: kernel.add('mod', MODULE),
    users: kernel.addUsers(USERS),
  };
  const services = await makeServices(kernel);
  const handleOn = (id: number) => {
    const object = kernel.open(id);
    return services.handles.grant(LOADER, object, object.info(), 1000).token;
  };
  return { kernel, services, ids, handleOn };
}

const TYPES = { encoding: Encoding.TYPES };

describe('A RAW spec', () => {
  test('is a header and the bytes', async () => {
    const { kernel, services, ids } = await setUp();
    const { header, raw } = await receiveSpec(services, named('vmlinux'));
    expect(header).toMatchObject({
      info: {
        id: ids.vmlinux,
        name: 'vmlinux',
        origin: Origin.VMLINUX,
        isKernel: true,
        size: VMLINUX.length,
      },
      byteOrder: ByteOrder.LITTLE_ENDIAN,
      typeCount: 1,
      rawSize: VMLINUX.length,
      digest: await sha256(VMLINUX),
      baseDigest: new Uint8Array(),
      split: false,
      notModified: false,
    });
    expect(Buffer.compare(raw, VMLINUX)).toBe(0);
    expect(kernel.openCount).toBe(0);
  });

  test('is the same by handle, id and name', async () => {
    const { kernel, services, ids, handleOn } = await setUp();
    const requests = [named('mod'), ofId(ids.module), ofHandle(handleOn(ids.module))];
    const [first, ...others] = await Promise.all(requests.map((request) => receiveSpec(services, request)));
    expect(others).toEqual([first, first]);
    expect(Buffer.compare(first?.raw ?? new Uint8Array(), MODULE)).toBe(0);
    // The object of the handle.
    expect(kernel.openCount).toBe(1);
  });

  test('of split BTF names the base’s digest', async () => {
    const { services } = await setUp();
    const { header } = await receiveSpec(services, named('mod'));
    expect(header).toMatchObject({ split: true, typeCount: 2, baseDigest: await sha256(VMLINUX) });
  });

  test('of split BTF needs no base', async () => {
    const kernel = new FakeKernel();
    kernel.add('mod', MODULE);
    const { header, raw } = await receiveSpec(await makeServices(kernel), named('mod'));
    expect(header).toMatchObject({ split: true, baseDigest: new Uint8Array() });
    expect(Buffer.compare(raw, MODULE)).toBe(0);
  });

  test('comes in chunks of at most 256 KiB', async () => {
    const bytes = new BtfWriter().type(8, 'x'.repeat(3_000_000)).bytes();
    const kernel = new FakeKernel();
    kernel.add('vmlinux', bytes);
    const { raw, sizes } = await receiveSpec(await makeServices(kernel), named('vmlinux'));
    expect(Buffer.compare(raw, bytes)).toBe(0);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(256 * 1024 + 16);
    expect(sizes.length).toBe(Math.ceil(bytes.length / (256 * 1024)));
  });

  test('is sent from the memory in which it is kept', async () => {
    const { services } = await setUp();
    const request = create(SpecRequestSchema, named('vmlinux'));
    const [, ...chunks] = await collect(spec(services)(request, callBy(LOADER)));
    const [chunk] = chunks;
    if (!(chunk instanceof Encoded)) throw new Error('the chunk is not encoded');
    const [, bytes] = chunk.parts;
    using object = await services.specs.find({ case: 'name', value: 'vmlinux' }, LOADER);
    expect(bytes?.buffer).toBe(object.btf.bytes.buffer);
    const part = { case: 'raw', value: VMLINUX } as const;
    const expected = toBinary(SpecResponseSchema, create(SpecResponseSchema, { part }));
    expect(Buffer.compare(chunk.wire, expected)).toBe(0);
  });

  test('that the client has already is only the header', async () => {
    const { services } = await setUp();
    const [digest, baseDigest] = [await sha256(MODULE), await sha256(VMLINUX)];
    const conditional = (ifNoneMatch: SpecRequestInit['ifNoneMatch']) =>
      receiveSpec(services, { ...named('mod'), ifNoneMatch });
    const { header, sizes } = await conditional({ digest, baseDigest });
    expect([header.notModified, sizes, header.digest]).toEqual([true, [], digest]);
    for (const other of [{ digest }, { digest, baseDigest: digest }, { digest: baseDigest, baseDigest }]) {
      const sent = await conditional(other);
      expect([sent.header.notModified, Buffer.compare(sent.raw, MODULE)]).toEqual([false, 0]);
    }
  });
});

describe('A TYPES spec', () => {
  test('has all types, in the order of ids', async () => {
    const { services } = await setUp();
    const { header, types } = await receiveSpec(services, { ...named('vmlinux'), ...TYPES });
    expect([header.typeCount, header.selection]).toEqual([1, undefined]);
    expect(types).toMatchObject([
      { id: 1, kind: 1, name: 'int', detail: { case: 'int', value: { size: 4 } } },
    ]);
  });

  test('of split BTF has its own types, with ids after those of the base', async () => {
    const { services } = await setUp();
    const { header, types } = await receiveSpec(services, { ...named('mod'), ...TYPES });
    expect(header).toMatchObject({ split: true, baseDigest: await sha256(VMLINUX) });
    expect(types).toMatchObject([
      { id: 2, detail: { case: 'ptr', value: { typeId: 1 } } },
      { id: 3, name: 'mod_t', detail: { case: 'typedef', value: { typeId: 2 } } },
    ]);
  });

  test('of a selection has the selected types, and lists the names that were not found', async () => {
    const { services } = await setUp();
    const selection = { names: ['mod_t', 'int'], ids: [99] };
    const { header, types } = await receiveSpec(services, { ...named('mod'), ...TYPES, selection });
    expect(header.selection).toMatchObject({ typeCount: 1, namesNotFound: ['int'], idsNotFound: [99] });
    expect(types.map(({ id }) => id)).toEqual([3]);
  });

  test('uses the base that the request names', async () => {
    const kernel = new FakeKernel();
    const other = kernel.addUsers(VMLINUX);
    const module = kernel.addUsers(MODULE);
    const services = await makeServices(kernel);
    const base = { source: { case: 'id' as const, value: other } };
    const { header, types } = await receiveSpec(services, { ...ofId(module), ...TYPES, base });
    expect([header.baseDigest, types.map(({ id }) => id)]).toEqual([await sha256(VMLINUX), [2, 3]]);
    const object = kernel.open(other);
    const { token } = services.handles.grant(LOADER, object, object.info(), 1000);
    const byHandle = { source: { case: 'handle' as const, value: token } };
    expect((await receiveSpec(services, { ...ofId(module), ...TYPES, base: byHandle })).types).toEqual(types);
    services.clock.advance(1000);
    expect([kernel.openCount, services.quotas.specBytes.inUse]).toEqual([0, 0]);
  });

  test('of split BTF whose base is missing says so', async () => {
    const kernel = new FakeKernel();
    kernel.add('mod', MODULE);
    const error = await failureOf(async () =>
      receiveSpec(await makeServices(kernel), { ...named('mod'), ...TYPES }),
    );
    expect(error.reason).toBe(ErrorReason.MISSING_BASE);
    expect(error.message).toMatch(/^missing base types/);
  });

  test('refuses a base for BTF that is not split', async () => {
    const { services, ids } = await setUp();
    const base = { source: { case: 'id' as const, value: ids.vmlinux } };
    expect(await reasonOf(() => receiveSpec(services, { ...named('vmlinux'), ...TYPES, base }))).toBe(
      ErrorReason.INVALID_REQUEST,
    );
  });

  test('refuses a base that is itself split BTF', async () => {
    const { services, ids } = await setUp();
    const base = { source: { case: 'id' as const, value: ids.module } };
    expect(await reasonOf(() => receiveSpec(services, { ...named('mod'), ...TYPES, base }))).toBe(
      ErrorReason.MISSING_BASE,
    );
  });

  test('of invalid bytes fails with BTF_UNDECODABLE', async () => {
    const kernel = new FakeKernel();
    // A reference to a string after the end of the section.
    const bytes = intBtf();
    new DataView(bytes.buffer).setUint32(32, 0xffff, true);
    kernel.add('mod', bytes);
    const services = await makeServices(kernel);
    await expect(receiveSpec(services, { ...named('mod'), ...TYPES })).rejects.toBeInstanceOf(BtfFormatError);
    expect(Buffer.compare((await receiveSpec(services, named('mod'))).raw, bytes)).toBe(0);
  });
});

describe('Spec refuses', () => {
  const long = 'n'.repeat(257);
  test.each<[string, SpecRequestInit, string]>([
    ['no source', {}, 'source'],
    ['an empty token', ofHandle(''), 'handle'],
    ['the id 0', ofId(0), 'id'],
    ['an empty name', named(''), 'name'],
    ['an encoding that there is not', Object.assign(named('vmlinux'), { encoding: 99 }), 'encoding'],
    [
      'a digest of another length',
      { ...named('vmlinux'), ifNoneMatch: { digest: new Uint8Array(31) } },
      'if_none_match.digest',
    ],
    [
      'a condition on TYPES',
      { ...named('vmlinux'), ...TYPES, ifNoneMatch: { digest: new Uint8Array(32) } },
      'if_none_match',
    ],
    ['a base for RAW', { ...named('vmlinux'), base: {} }, 'base'],
    ['a form of C for TYPES', { ...named('vmlinux'), ...TYPES, cFormat: {} }, 'c_format'],
    [
      'a closure for RAW',
      { ...named('vmlinux'), selection: { names: ['int'], closure: true } },
      'selection.closure',
    ],
    [
      'a glob that is too long',
      { ...named('vmlinux'), ...TYPES, selection: { nameGlobs: [long] } },
      'selection.name_globs[0]',
    ],
  ])('%s', async (_, request, field) => {
    const { kernel, services } = await setUp();
    kernel.failures.open = new Error('the kernel was asked');
    const error = await failureOf(() => receiveSpec(services, request));
    expect(error.violations.map((violation) => violation.field)).toEqual([field]);
  });

  test.each<[string, SpecRequestInit, ErrorReason]>([
    ['an id that no object has', ofId(99), ErrorReason.BTF_ID_NOT_FOUND],
    ['a handle that there is not', ofHandle('x'), ErrorReason.HANDLE_NOT_FOUND],
    [
      'a base that there is not',
      { ...named('mod'), ...TYPES, base: { source: { case: 'id', value: 99 } } },
      ErrorReason.BTF_ID_NOT_FOUND,
    ],
    ['a name that no object has', named('nothing'), ErrorReason.NAME_NOT_FOUND],
    // A user's object has no name, even if it claims one.
    ['a path', named('../../etc/passwd'), ErrorReason.NAME_NOT_FOUND],
    ['the folder', named('.'), ErrorReason.NAME_NOT_FOUND],
    ['a name of 64 KiB', named('n'.repeat(65_000)), ErrorReason.NAME_NOT_FOUND],
  ])('%s', async (_, request, reason) => {
    const { kernel, services } = await setUp();
    expect(await reasonOf(() => receiveSpec(services, request))).toBe(reason);
    expect(kernel.openCount).toBe(0);
  });
});

describe('While a spec is streamed', () => {
  test('its handle does not expire, and has its whole TTL afterwards', async () => {
    const { kernel, services, ids, handleOn } = await setUp();
    const token = handleOn(ids.vmlinux);
    for (const request of [ofHandle(token), { ...ofHandle(token), ...TYPES }]) {
      const messages = startSpec(services, request);
      await messages.next();
      services.clock.advance(100_000);
      expect(kernel.openCount).toBe(1);
      await messages.next();
      await messages.return();
    }
    expect(services.handles.peek(LOADER, token).lease?.remainingMs).toBe(1000);
    services.clock.advance(1000);
    expect(kernel.openCount).toBe(0);
  });

  test('its handle may be closed, and the rest still comes', async () => {
    const { services, ids, handleOn } = await setUp();
    const token = handleOn(ids.vmlinux);
    const messages = startSpec(services, ofHandle(token));
    await messages.next();
    services.handles.close(token);
    const rest = await collect(messages);
    expect(rest.map(({ part }) => part.case)).toEqual(['raw']);
  });

  test('a failure to read ends the use of its handle and closes everything', async () => {
    const { kernel, services, ids, handleOn } = await setUp();
    const token = handleOn(ids.vmlinux);
    kernel.failures.read = bpfError('BPF_OBJ_GET_INFO_BY_FD', 'ENOMEM');
    for (const request of [ofHandle(token), ofId(ids.vmlinux), named('vmlinux')]) {
      await expect(receiveSpec(services, request)).rejects.toThrow('ENOMEM');
    }
    services.clock.advance(1000);
    expect(kernel.openCount).toBe(0);
    // A failure is not remembered.
    delete kernel.failures.read;
    expect((await receiveSpec(services, named('vmlinux'))).raw.length).toBe(VMLINUX.length);
  });

  test('an abort ends it', async () => {
    const { services } = await setUp();
    const abort = new AbortController();
    const reason = new Error('gone');
    abort.abort(reason);
    await expect(startSpec(services, named('vmlinux'), abort.signal).next()).rejects.toBe(reason);
  });
});
