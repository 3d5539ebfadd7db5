import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Duration, durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import {
  type CheckObjectRequest,
  CheckObjectResponseSchema,
  CloneHandleResponseSchema,
  CloseHandlesResponseSchema,
  GetHandleByIdResponseSchema,
  GetHandleInfoResponseSchema,
  GetServerInfoResponseSchema,
  type IterateHandlesRequest,
  IterateHandlesResponseSchema,
  type LoadHandleRequest,
  LoadHandleResponseSchema,
  type ModuleScope,
  Mode,
  Operation,
  RenewHandlesResponseSchema,
  type ResolveMembersRequest,
  ResolveMembersResponseSchema,
  Role,
  ServerDetail,
  type SpecBase,
  type SpecRequest,
  SpecResponseSchema,
  TakeHandleResponseSchema,
  WatchHandlesResponseSchema,
} from '@btfd/api';
import { status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { invalidArgument } from '../error/argument.js';
import { BtfError } from '../error/btf-error.js';
import { featureMessages, kernelFeaturesFrom } from '../object/kernel-features.js';
import { type FakeTarget, fakeReport } from './fake-check.js';
import type { FakeHandles, HandleInit } from './fake-handles.js';
import type { FakeKernel } from './fake-kernel.js';
import { adapted, btfOf, rejectionError, rejectionOf, verifierLogOf } from './fake-load.js';
import type { FakeObject } from './fake-object.js';
import { objectFilter } from './fake-selection.js';
import type { FakeServer } from './fake-server.js';
import type { FakeWatch } from './fake-watch.js';
import { fakeMembers, fakeSpec, type SpecPace } from './fake-spec.js';

/** A client cannot renew a shorter lease in time. */
const MIN_TTL_MS = 1;

/** FakeRun is one run of a fake daemon. */
export interface FakeRun extends SpecPace {
  readonly kernel: FakeKernel;
  readonly handles: FakeHandles;
  readonly watch: FakeWatch;
  readonly epoch: string;
  readonly bootId: string;
  readonly kernelRelease: string;
  readonly nodeName: string;
  /** The TTL that is granted if a call requests none, in milliseconds. */
  readonly defaultTtl: number;
  /** Maximum number of handles that one stream holds. */
  readonly maxHeld: number;
}

/** fakeRpcs returns the handlers of a run, as grpc-js takes them. */
export function fakeRpcs(run: FakeRun, server: FakeServer): UntypedServiceImplementation {
  const { kernel, handles } = run;
  return {
    loadHandle: server.unary('loadHandle', LoadHandleResponseSchema, (request) => load(request, run)),
    getHandleById: server.unary('getHandleById', GetHandleByIdResponseSchema, ({ id, ttl }) => ({
      handle: lease(kernel.withId(id), ttl, run),
    })),
    takeHandle: server.unary('takeHandle', TakeHandleResponseSchema, ({ token, ttl }) => {
      handles.take(token, grantedTtl(ttl, run));
      return { handle: handles.message(token) };
    }),
    cloneHandle: server.unary('cloneHandle', CloneHandleResponseSchema, ({ token, ttl }) => ({
      handle: lease(use(token, run), ttl, run),
    })),
    getHandleInfo: server.unary('getHandleInfo', GetHandleInfoResponseSchema, ({ token, details }) => ({
      handle: handles.message(token, details),
    })),
    renewHandles: server.unary('renewHandles', RenewHandlesResponseSchema, ({ tokens }) => ({
      results: tokens.map((token) => {
        const left = handles.renew(token);
        return left === null
          ? {}
          : { open: true, remainingTtl: left === undefined ? undefined : durationFromMs(Math.ceil(left)) };
      }),
    })),
    closeHandles: server.unary('closeHandles', CloseHandlesResponseSchema, ({ tokens }) => ({
      wasOpen: tokens.map((token) => handles.close(token)),
    })),
    iterateHandles: server.stream('iterateHandles', IterateHandlesResponseSchema, (request, signal) =>
      iterate(request, run, signal),
    ),
    watchHandles: server.stream('watchHandles', WatchHandlesResponseSchema, (request, signal) =>
      run.watch.serve(request, signal),
    ),
    spec: server.stream('spec', SpecResponseSchema, (request) => spec(request, run)),
    resolveMembers: server.unary('resolveMembers', ResolveMembersResponseSchema, ({ source, base, paths }) =>
      fakeMembers(sourceOf(source, run, base), paths),
    ),
    checkObject: server.stream('checkObject', CheckObjectResponseSchema, (request) => check(request, run)),
    getServerInfo: server.unary('getServerInfo', GetServerInfoResponseSchema, ({ details }) => ({
      ...serverInfo(run),
      ...(details.includes(ServerDetail.DIGESTS) && kernel.digests()),
    })),
  };
}

function load(request: LoadHandleRequest, run: FakeRun): MessageInitShape<typeof LoadHandleResponseSchema> {
  const features = kernelFeaturesFrom(run.kernelRelease, []);
  const sent = btfOf(request);
  const btf = request.adaptToKernel ? adapted(sent, features) : sent;
  const log = verifierLogOf(btf, features);
  if (log === null) {
    return { result: { case: 'handle', value: lease(run.kernel.add({ btf }, true), request.ttl, run) } };
  }
  if (!request.reportRejection) throw rejectionError(log);
  return { result: { case: 'rejection', value: rejectionOf(log) } };
}

function lease(object: FakeObject, ttl: Duration | undefined, run: FakeRun): HandleInit {
  const { handles } = run;
  return handles.message(handles.grant(object, grantedTtl(ttl, run)));
}

async function* spec(
  request: SpecRequest,
  run: FakeRun,
): AsyncGenerator<MessageInitShape<typeof SpecResponseSchema>, void, undefined> {
  yield* fakeSpec(sourceOf(request.source, run, request.base), request, run);
}

async function* check(
  request: CheckObjectRequest,
  run: FakeRun,
): AsyncGenerator<MessageInitShape<typeof CheckObjectResponseSchema>, void, undefined> {
  yield* fakeReport(request, checkTarget(request, run));
}

/** Returns the kernel and the modules of a check. A kernel that is not the running one has no modules. */
function checkTarget({ kernel: source, modules }: CheckObjectRequest, run: FakeRun): FakeTarget {
  const vmlinux = run.kernel.named('vmlinux');
  const kernel =
    source?.source.case === undefined
      ? named({ case: 'name', value: 'vmlinux' }, run)
      : named(source.source, run);
  const scope = modules?.scope ?? { case: undefined };
  if (kernel !== vmlinux && scope.case === 'only') {
    throw invalidArgument('modules', 'a kernel that is not the running one has none');
  }
  return {
    kernel,
    modules: kernel === vmlinux ? modulesOf(scope, run) : [],
    release: kernel === vmlinux ? run.kernelRelease : '',
  };
}

function modulesOf(scope: ModuleScope['scope'], run: FakeRun): readonly FakeObject[] {
  if (scope.case === 'none') return [];
  if (scope.case === 'only') return scope.value.names.map((value) => named({ case: 'name', value }, run));
  return run.kernel.objects.filter(({ origin }) => origin === 'module');
}

async function* iterate(
  { afterId, hold, origins, nameGlobs, details }: IterateHandlesRequest,
  { kernel, handles, maxHeld }: FakeRun,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof IterateHandlesResponseSchema>, void, undefined> {
  const matches = objectFilter(origins, nameGlobs);
  const tokens: string[] = [];
  const held = (): number => tokens.filter((token) => handles.isHeld(token)).length;
  try {
    for (const object of kernel.objects) {
      if (object.removed || (afterId > 0 && object.id <= afterId) || !matches(object)) continue;
      const info = object.info(details);
      if (!hold || object.id === 0) {
        yield { info };
        continue;
      }
      const token = handles.grant(object, null);
      tokens.push(token);
      yield { info, handle: handles.message(token, details) };
      while (held() >= maxHeld && !signal.aborted) await handles.released(signal);
      if (signal.aborted) return;
    }
    while (held() > 0 && !signal.aborted) await handles.released(signal);
  } finally {
    for (const token of tokens) if (handles.isHeld(token)) handles.close(token);
  }
}

/** Returns the object of a handle, and renews its lease. */
function use(token: string, { handles }: FakeRun): FakeObject {
  handles.renew(token);
  return handles.objectOf(token);
}

function sourceOf(
  source: (SpecRequest | ResolveMembersRequest)['source'],
  run: FakeRun,
  base?: SpecBase,
): FakeObject {
  const object = named(source, run);
  return base?.source.case === undefined ? object : object.on(named(base.source, run));
}

function withUnderscores(name: string): string {
  if (!name.includes('-')) return '';
  return `; names of modules have "_" in place of "-": ${JSON.stringify(name.replaceAll('-', '_'))}`;
}

function named(source: (SpecRequest | ResolveMembersRequest)['source'], run: FakeRun): FakeObject {
  switch (source.case) {
    case 'handle':
      return use(source.value, run);
    case 'id':
      return run.kernel.withId(source.value);
    case 'name': {
      const object = run.kernel.named(source.value);
      if (object !== null) return object;
      throw new BtfError({
        code: status.NOT_FOUND,
        reason: 'NAME_NOT_FOUND',
        message: `the kernel has no BTF object named ${JSON.stringify(source.value)}${withUnderscores(source.value)}`,
        metadata: { name: source.value },
      });
    }
    case undefined:
      break;
  }
  throw invalidArgument('source', 'is required');
}

function grantedTtl(ttl: Duration | undefined, { defaultTtl }: FakeRun): number {
  if (ttl === undefined) return defaultTtl;
  const asked = durationMs(ttl);
  if (!(asked > 0)) throw invalidArgument('ttl', 'must be positive');
  return Math.max(MIN_TTL_MS, asked);
}

function serverInfo({
  epoch,
  bootId,
  kernelRelease,
  nodeName,
  defaultTtl,
  maxHeld,
}: FakeRun): MessageInitShape<typeof GetServerInfoResponseSchema> {
  const operations = [
    Operation.LOAD,
    Operation.OPEN_BY_ID,
    Operation.LIST_IDS,
    Operation.SPEC_BY_NAME,
    Operation.HOLD_KERNEL,
  ].map((operation) => ({ operation, available: true }));
  return {
    version: '0.0.0-fake',
    bootId,
    daemonEpoch: epoch,
    kernelRelease,
    kernelVersion: '#1 SMP fake',
    machine: 'x86_64',
    nodeName,
    mode: Mode.FULL,
    operations,
    capabilities: { sysAdmin: true, bpf: true },
    features: featureMessages(kernelFeaturesFrom(kernelRelease, [])),
    caller: { principal: `uid:${process.getuid?.() ?? 0}`, role: Role.LOADER },
    limits: {
      maxBtfBytes: 16 * 1024 * 1024,
      minTtl: durationFromMs(MIN_TTL_MS),
      defaultTtl: durationFromMs(Math.ceil(defaultTtl)),
      maxHeldPerStream: maxHeld,
      maxTokens: 1000,
    },
  };
}
