import { type BpfLoader, BtfReadError, compactObject } from '@btfd/btf';
import { status } from '@grpc/grpc-js';
import { LOADER_NUMBERS } from './base/enum-numbers.js';
import { CALL_RULES, type CallOptions } from './call/call-options.js';
import type { CallLimits } from './call/connection.js';
import { messagesNow, type RequestOf } from './call/methods.js';
import {
  aBoolean,
  aListOf,
  aString,
  aUint32,
  checkOptions,
  fieldsOf,
  oneOf,
  type Rule,
  rule,
  type Rules,
} from './error/argument.js';
import { BtfError } from './error/btf-error.js';
import { joinReport, type ObjectReport, type ObjectReportPart } from './object/object-report.js';
import { readReport } from './object/report-reader.js';
import { RemoteObject, tokenOf } from './remote-object.js';
import type { Session } from './session.js';

/** An object of several MB takes seconds to send and to check, and may have to wait for a thread of the daemon. */
const DEFAULT_CHECK_TIMEOUT_MS = 60_000;

/** CheckObjectOptions are the options of checking a BPF object. */
export interface CheckObjectOptions extends CallOptions {
  /** Whose rules hold. Default: `libbpf`. */
  readonly loader?: BpfLoader | undefined;
  /** The kernel: a handle or a BTF id, of BTF that is not split. Default: the vmlinux of the daemon's kernel. */
  readonly kernel?: RemoteObject | number | undefined;
  /**
   * The names of the modules, as if no other was loaded; an empty list for none. Each must be loaded. Default: all that are
   * loaded. A `kernel` that is not the running one has no modules.
   */
  readonly modules?: readonly string[] | undefined;
  /** The names of the programs to load. Default: those that the loader loads by default. */
  readonly programs?: readonly string[] | undefined;
  /** Values that user space gives read-only variables before the load, by name, in the byte order of the object. */
  readonly variables?: Readonly<Record<string, Uint8Array>> | undefined;
  /**
   * The targets that user space gives programs before the load, by the names of programs: `tcp_v4_connect`, or
   * `nf_nat:nf_nat_init` in a module.
   */
  readonly attachTargets?: Readonly<Record<string, string>> | undefined;
  /**
   * The kernel's version as in `LINUX_KERNEL_VERSION`: `(6 << 16) | (1 << 8)` for Linux 6.1. Default: that of the daemon's
   * kernel; unknown for another `kernel`.
   */
  readonly kernelVersion?: number | undefined;
  /**
   * Whether to report every finding. Otherwise only those with `GUARDED` or a worse verdict are transferred; all are counted.
   * Default: false.
   */
  readonly all?: boolean | undefined;
  /** The deadline in milliseconds of the whole call, which the daemon gets too; Infinity for none. Default: 60 s. */
  readonly timeout?: number | undefined;
}

const someNames: Rule = (field, value) => {
  aListOf(aString)(field, value);
  rule('a list with a name; leave it out for the default', (names) => Object(names).length > 0)(field, value);
};

/** recordOf returns the rule of an object whose values have a rule. */
function recordOf(element: Rule): Rule {
  return (field, value) => {
    for (const [key, entry] of fieldsOf(field, value)) element(`${field}.${key}`, entry);
  };
}

const CHECK_OBJECT_RULES: Rules<CheckObjectOptions> = {
  ...CALL_RULES,
  loader: oneOf(LOADER_NUMBERS),
  kernel: (field, value) => {
    if (!(value instanceof RemoteObject)) rule('a handle or a BTF id', Number.isInteger)(field, value);
    if (typeof value === 'number') aUint32(field, value);
  },
  modules: aListOf(aString),
  programs: someNames,
  variables: recordOf(rule('a Uint8Array', (value) => value instanceof Uint8Array)),
  attachTargets: recordOf(aString),
  kernelVersion: aUint32,
  all: aBoolean,
};

/** checkObject returns the report on a BPF object. */
export async function checkObject(
  session: Session,
  object: Uint8Array,
  options: CheckObjectOptions,
): Promise<ObjectReport> {
  const request = checkRequest(object, options);
  return session.connection.retrying('checkObject', limitsOf(options), async (limits) =>
    joinReport(partsOf(session, request, limits)),
  );
}

/** checkObjectStream yields the parts of the report on a BPF object. Until the first part, the call may be repeated. */
export async function* checkObjectStream(
  session: Session,
  object: Uint8Array,
  options: CheckObjectOptions,
): AsyncGenerator<ObjectReportPart, void, undefined> {
  const request = checkRequest(object, options);
  const { connection } = session;
  const { parts, first } = await connection.retrying('checkObject', limitsOf(options), async (limits) => {
    const opened = partsOf(session, request, limits);
    return { parts: opened, first: await opened.next() };
  });
  try {
    for (let next = first; next.done !== true; next = await parts.next()) yield next.value;
  } finally {
    await parts.return();
  }
}

async function* partsOf(
  { connection }: Session,
  request: RequestOf<'checkObject'>,
  limits: CallLimits,
): AsyncGenerator<ObjectReportPart, void, undefined> {
  yield* readReport(connection.stream('checkObject', request, limits), await messagesNow());
}

function limitsOf({ signal, timeout = DEFAULT_CHECK_TIMEOUT_MS }: CallOptions): CallLimits {
  return { signal, timeout };
}

/** @throws BtfError INVALID_REQUEST for the options; OBJECT_UNREADABLE. */
function checkRequest(object: Uint8Array, options: CheckObjectOptions): RequestOf<'checkObject'> {
  rule('a Uint8Array', (value) => value instanceof Uint8Array)('object', object);
  checkOptions(options, CHECK_OBJECT_RULES);
  const { loader = 'libbpf', modules, programs = [], variables = {}, attachTargets = {} } = options;
  const { kernel, kernelVersion = 0, all = false } = options;
  return {
    object: compact(object),
    loader: LOADER_NUMBERS[loader],
    ...(kernel === undefined ? {} : { kernel: { source: kernelSource(kernel) } }),
    ...(modules === undefined ? {} : { modules: { scope: moduleScope(modules) } }),
    programs: [...programs],
    variables: Object.entries(variables).map(([name, value]) => ({ name, value })),
    attachTargets: Object.entries(attachTargets).map(([program, target]) => ({ program, target })),
    kernelVersion,
    all,
  };
}

function kernelSource(kernel: RemoteObject | number) {
  return typeof kernel === 'number'
    ? { case: 'id' as const, value: kernel }
    : { case: 'handle' as const, value: tokenOf(kernel) };
}

function moduleScope(names: readonly string[]) {
  return names.length === 0
    ? { case: 'none' as const, value: true }
    : { case: 'only' as const, value: { names: [...names] } };
}

/** Returns an object without what no loader reads. @throws BtfError OBJECT_UNREADABLE, as the daemon would. */
function compact(object: Uint8Array): Uint8Array {
  try {
    return compactObject(object);
  } catch (error) {
    if (!(error instanceof BtfReadError)) throw error;
    throw new BtfError({
      code: status.INVALID_ARGUMENT,
      reason: 'OBJECT_UNREADABLE',
      message: `the object cannot be read: ${error.message}`,
      metadata: error.offset === null ? {} : { offset: String(error.offset) },
      cause: error,
    });
  }
}
