import { readFileSync } from 'node:fs';
import { create, fromBinary } from '@bufbuild/protobuf';
import {
  type CheckObjectRequest,
  CheckObjectRequestSchema,
  type CheckObjectResponse,
  CheckObjectResponseSchema,
  decodeNeed,
  decodeRelocation,
  ErrorReason,
  type ObjectSummary,
  Verdict,
} from '@btfd/api';
import { Builder, checkObject as checkLocally, parseBpfObject, Spec } from '@btfd/btf';
import { describe, expect, test } from '@jest/globals';
import type { Init } from '../base/message.js';
import type { Limits } from '../config/limits.js';
import { Encoded } from '../grpc/rpc.js';
import { intBtf } from '../testing/btf-bytes.js';
import { callBy, LOADER } from '../testing/callers.js';
import { FakeKernel } from '../testing/fake-kernel.js';
import { sha256 } from '../testing/receive-spec.js';
import { failureOf } from '../testing/service-error.js';
import { makeServices, type ServicesForTest } from '../testing/services.js';
import { checkObject } from './check-object.js';

function objectFile(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../btf/src/${path}.bpf.o`, import.meta.url)));
}

/** It calls the kfunc `bpf_absent_kfunc`, among others. */
const NEEDS = objectFile('check/testdata/needs');
/** It needs a struct of functions. */
const STRUCT_OPS = objectFile('check/testdata/struct-ops');
/** It needs nothing of modules. */
const VARIABLES = objectFile('object/testdata/variables');

const INT = { kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 } as const;

function vmlinuxBtf(): Uint8Array {
  const builder = new Builder();
  builder.add(INT);
  return builder.marshal();
}

/** Returns the BTF of a module with a kfunc. */
function moduleBtf(kfunc: string): Uint8Array {
  const builder = new Builder({ base: Spec.parse(vmlinuxBtf()) });
  const prototype = builder.add({
    kind: 'FUNC_PROTO',
    returnTypeId: 1,
    params: [{ name: 'value', typeId: 1 }],
  });
  builder.add({ kind: 'FUNC', name: kfunc, typeId: prototype, linkage: 1 });
  return builder.marshal();
}

const MODULE = moduleBtf('bpf_absent_kfunc');
const OTHER = moduleBtf('other');

async function setUp(limits: Partial<Limits> = {}) {
  const kernel = new FakeKernel();
  kernel.add('vmlinux', vmlinuxBtf());
  const ids = { module: kernel.add('mod', MODULE), other: kernel.add('other', OTHER) };
  const users = kernel.addUsers(intBtf('users'));
  return { kernel, ids: { ...ids, users }, services: await makeServices(kernel, { limits }) };
}

type RequestInit = Init<typeof CheckObjectRequestSchema>;

/** Returns the messages of a call, and checks that nothing of it is left. */
async function check(
  services: ServicesForTest,
  init: RequestInit | CheckObjectRequest,
  call = callBy(LOADER),
): Promise<CheckObjectResponse[]> {
  const messages: CheckObjectResponse[] = [];
  try {
    for await (const message of checkObject(services)(create(CheckObjectRequestSchema, init), call)) {
      messages.push(
        message instanceof Encoded
          ? fromBinary(CheckObjectResponseSchema, message.wire)
          : create(CheckObjectResponseSchema, message),
      );
    }
  } finally {
    const { objectBytes, specBytes } = services.quotas;
    expect([objectBytes.inUse, specBytes.inUse]).toEqual([0, 0]);
    expect(services.kernel.openCount).toBe(0);
  }
  return messages;
}

function summaryOf(messages: readonly CheckObjectResponse[]): ObjectSummary {
  const { part } = messages.at(-1) ?? { part: { case: undefined } };
  if (part.case !== 'summary') throw new Error('the last message is no summary');
  return part.value;
}

/** Returns the verdict on a kfunc in the findings of a program. */
function verdictOn(kfunc: string, messages: readonly CheckObjectResponse[]): Verdict | undefined {
  return messages
    .flatMap(({ part }) => (part.case === 'program' ? part.value.needs : []))
    .find(({ name }) => name === kfunc)?.verdict;
}

describe('The modules of CheckObject', () => {
  const ofKfunc = { object: NEEDS, programs: ['absent_kfunc'], all: true };

  test('are all that are loaded, and those that were read are named with their digests', async () => {
    const { kernel, ids, services } = await setUp();
    const messages = await check(services, ofKfunc);
    expect(verdictOn('bpf_absent_kfunc', messages)).toBe(Verdict.FITS);
    const { modules, dependsOnAllModules } = summaryOf(messages);
    expect(modules).toMatchObject([
      { name: 'mod', id: ids.module, digest: await sha256(MODULE) },
      { name: 'other', id: ids.other, digest: await sha256(OTHER) },
    ]);
    expect(dependsOnAllModules).toBe(true);
    expect(kernel.reads).toBe(3);
  });

  test('are not read if nothing is looked for in them', async () => {
    const { kernel, services } = await setUp();
    const messages = await check(services, { object: VARIABLES });
    expect(summaryOf(messages)).toMatchObject({ modules: [], dependsOnAllModules: false });
    expect(kernel.reads).toBe(1);
  });

  test.each([
    ['before the first program', NEEDS, 256 * 1024],
    ['after programs that were sent', STRUCT_OPS, 1],
  ])('are read if a check needs them %s, and no message comes twice', async (_, object, chunkBytes) => {
    const { kernel, services } = await setUp({ chunkBytes });
    const messages = await check(services, { object, all: true });
    expect(kernel.reads).toBe(3);
    const modules: RequestInit['modules'] = { scope: { case: 'only', value: { names: ['mod', 'other'] } } };
    expect(messages).toEqual(await check(services, { object, all: true, modules }));
  });

  test.each<[string, RequestInit['modules'], Verdict, string[]]>([
    ['none', { scope: { case: 'none', value: true } }, Verdict.FAILS, []],
    ['another one', { scope: { case: 'only', value: { names: ['other'] } } }, Verdict.FAILS, ['other']],
    ['the one', { scope: { case: 'only', value: { names: ['mod'] } } }, Verdict.FITS, ['mod']],
    ['an empty list', { scope: { case: 'only', value: { names: [] } } }, Verdict.FAILS, []],
  ])('may be limited to %s', async (_, modules, verdict, names) => {
    const { services } = await setUp();
    const messages = await check(services, { ...ofKfunc, modules });
    expect(verdictOn('bpf_absent_kfunc', messages)).toBe(verdict);
    expect(summaryOf(messages).modules.map(({ name }) => name)).toEqual(names);
  });

  test('may vanish while they are read', async () => {
    const { kernel, ids, services } = await setUp();
    kernel.vanishing.add(ids.other);
    const messages = await check(services, ofKfunc);
    expect(summaryOf(messages).modules.map(({ name }) => name)).toEqual(['mod']);
  });

  test('must be loaded if they are named', async () => {
    const { services } = await setUp();
    const only = (name: string): RequestInit['modules'] => ({
      scope: { case: 'only', value: { names: [name] } },
    });
    const error = await failureOf(() => check(services, { ...ofKfunc, modules: only('gone') }));
    expect([error.reason, error.metadata]).toEqual([ErrorReason.NAME_NOT_FOUND, { name: 'gone' }]);
    const vmlinux = await failureOf(() => check(services, { ...ofKfunc, modules: only('vmlinux') }));
    expect(vmlinux.reason).toBe(ErrorReason.NAME_NOT_FOUND);
  });

  test('do not belong to a kernel that is given as BTF', async () => {
    const { services, ids } = await setUp();
    const kernel = { source: { case: 'id', value: ids.users } } as const;
    const messages = await check(services, { ...ofKfunc, kernel });
    expect(summaryOf(messages)).toMatchObject({ modules: [], dependsOnAllModules: true });
    const modules: RequestInit['modules'] = { scope: { case: 'only', value: { names: ['mod'] } } };
    const error = await failureOf(() => check(services, { ...ofKfunc, kernel, modules }));
    expect(error.message).toBe('modules.only: is only for the kernel that the daemon serves');
  });
});

describe('The messages of CheckObject', () => {
  const local = checkLocally(
    parseBpfObject(NEEDS),
    { kernel: Spec.parse(vmlinuxBtf()) },
    { kernelVersion: 5 << 16 },
  );
  const init = {
    object: NEEDS,
    all: true,
    kernelVersion: 5 << 16,
    modules: { scope: { case: 'none', value: true } },
  } as const;

  test.each([256 * 1024, 2_000, 1])(
    'have all findings in order, in parts of %s bytes',
    async (chunkBytes) => {
      const { services } = await setUp({ chunkBytes });
      const messages = await check(services, init);
      const programs = messages.flatMap(({ part }) => (part.case === 'program' ? [part.value] : []));
      const summaries = messages.flatMap(({ part }) => (part.case === 'summary' ? [part.value] : []));
      expect(messages.map(({ part }) => part.case)).toEqual([
        'header',
        ...programs.map(() => 'program'),
        ...summaries.map(() => 'summary'),
      ]);
      expect(programs.flatMap(({ relocations }) => relocations.map(decodeRelocation))).toEqual(
        local.programs.flatMap(({ relocations }) =>
          relocations.map((each) => expect.objectContaining({ verdict: each.verdict, reason: each.reason })),
        ),
      );
      expect(programs.flatMap((program) => program.needs.map(decodeNeed))).toEqual(
        local.programs.flatMap((program) => program.needs),
      );
      expect(programs.flatMap(({ name, continued }) => (continued ? [] : [name]))).toEqual(
        local.programs.map(({ name }) => name),
      );
      expect(summaries.flatMap((summary) => summary.needs.map(decodeNeed))).toEqual(local.needs);
      expect(summaries.map(({ continued }) => continued)).toEqual(
        summaries.map((_, i) => i < summaries.length - 1),
      );
      expect(Verdict[summaryOf(messages).verdict]).toBe(local.verdict);
      if (chunkBytes === 1) expect(messages.length).toBeGreaterThan(60);
    },
  );

  test('leave out findings that fit or changed, unless all are requested', async () => {
    const { services } = await setUp();
    const messages = await check(services, { ...init, all: false });
    const verdicts = messages.flatMap(({ part }) =>
      part.case === 'program' || part.case === 'summary'
        ? [...part.value.relocations, ...part.value.needs].map(({ verdict }) => verdict)
        : [],
    );
    expect(Math.min(...verdicts)).toBe(Verdict.GUARDED);
    expect(summaryOf(messages).counts.map(({ needs }) => needs)).toEqual(
      local.counts.map(({ needs }) => needs),
    );
    expect(local.counts.find(({ verdict }) => verdict === 'FITS')?.needs).toBeGreaterThan(0);
  });
});

describe('CheckObject refuses', () => {
  const { INVALID_REQUEST, OBJECT_UNREADABLE, OBJECT_WITHOUT_BTF } = ErrorReason;
  const object = VARIABLES;
  const noBtf = NEEDS.slice();
  // The name of the section.
  noBtf.set(new TextEncoder().encode('.XYZ\0'), Buffer.from(noBtf).lastIndexOf('.BTF\0'));

  test.each<[string, RequestInit, ErrorReason, string]>([
    ['no object', {}, INVALID_REQUEST, 'object: is empty'],
    [
      'bytes that are not ELF',
      { object: Uint8Array.of(1, 2, 3) },
      OBJECT_UNREADABLE,
      'the object cannot be read: ',
    ],
    [
      'a part of an object',
      { object: NEEDS.subarray(0, 1_000) },
      OBJECT_UNREADABLE,
      'the object cannot be read: ',
    ],
    ['an object without BTF', { object: noBtf }, OBJECT_WITHOUT_BTF, 'BPF object has no section .BTF'],
    [
      'an unknown program',
      { object, programs: ['none'] },
      INVALID_REQUEST,
      'programs: the object has no program "none"',
    ],
    [
      'a target for an unknown program',
      { object, attachTargets: [{ program: 'none', target: 'f' }] },
      INVALID_REQUEST,
      'attach_targets: the object has no program "none"',
    ],
    [
      'an empty target',
      { object, attachTargets: [{ program: 'none', target: '' }] },
      INVALID_REQUEST,
      'attach_targets[0].target: is empty',
    ],
    [
      'an unknown variable',
      { object, variables: [{ name: '__proto__', value: Uint8Array.of(1) }] },
      INVALID_REQUEST,
      'variables: the object has no read-only variable "__proto__"',
    ],
    [
      'a variable that is there twice',
      { object, variables: [{ name: 'a' }, { name: 'a' }] },
      INVALID_REQUEST,
      'variables[1]: "a" is there twice',
    ],
    [
      'too many variables',
      { object, variables: Array.from({ length: 257 }, (_, i) => ({ name: `v${i}` })) },
      INVALID_REQUEST,
      'variables: has 257 elements; at most 256 are allowed',
    ],
    [
      'no modules that are not none',
      { object, modules: { scope: { case: 'none', value: false } } },
      INVALID_REQUEST,
      'modules.none: must be true',
    ],
    ['a kernel without a name', { object, kernel: {} }, INVALID_REQUEST, 'kernel: names no object'],
  ])('%s', async (_, init, reason, message) => {
    const { services } = await setUp();
    const error = await failureOf(() => check(services, init));
    expect([error.reason, error.message.slice(0, message.length)]).toEqual([reason, message]);
  });

  test('a loader of a later release', async () => {
    const { services } = await setUp();
    // Field 1 is the object, field 2 the loader.
    const later = fromBinary(CheckObjectRequestSchema, Uint8Array.of(10, 1, 0, 16, 9));
    const error = await failureOf(() => check(services, later));
    expect(error.message).toBe('loader: 9 is not a loader');
  });

  test('a module as the kernel', async () => {
    const { services, ids } = await setUp();
    const kernel = { source: { case: 'id', value: ids.module } } as const;
    const error = await failureOf(() => check(services, { object, kernel }));
    expect(error.message).toBe('kernel: is split BTF, and not that of a kernel');
  });
});

test('CheckObject notes the object and the verdict for logs and metrics', async () => {
  const { services } = await setUp();
  const noted: object[] = [];
  const call = Object.assign(callBy(LOADER), { note: (facts: object) => void noted.push(facts) });
  await check(services, { object: VARIABLES }, call);
  expect(Object.assign({}, ...noted)).toMatchObject({
    objectBytes: VARIABLES.length,
    objectDigest: Buffer.from(await sha256(VARIABLES)).toString('hex'),
    verdict: 'UNKNOWN',
  });
});
