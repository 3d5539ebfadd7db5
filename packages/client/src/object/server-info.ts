import {
  type GetServerInfoResponse,
  type Limits as LimitsMessage,
  Mode as ModeNumber,
  Operation as OperationNumber,
  Role as RoleNumber,
} from '@btfd/api';
import type { KernelFeatures } from '@btfd/btf';
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';
import { digestKey } from '../btf/raw-btf.js';
import { type FeatureStatus, featuresFromMessage, kernelFeaturesFrom } from './kernel-features.js';

/** Mode is the way in which the daemon serves its operations. `btf.v1.Mode` explains each. */
export type Mode = 'full' | 'load-and-files' | 'files' | 'unknown';

/** Operation is an operation that some modes lack. `btf.v1.Operation` explains each. */
export type Operation = 'load' | 'open-by-id' | 'list-ids' | 'spec-by-name' | 'hold-kernel' | 'unknown';

/** OperationStatus reports whether an operation works. */
export interface OperationStatus {
  readonly operation: Operation;
  readonly available: boolean;
  /** The explanation why it does not work; empty if it works. */
  readonly reason: string;
}

/** Role is the set of rights of a caller. `btf.v1.Role` explains each. */
export type Role = 'viewer' | 'inspector' | 'loader' | 'unknown';

/** Caller is this client, as the daemon sees it. */
export interface Caller {
  /** The principal that owns the caller's handles, such as `uid:1000`. */
  readonly principal: string;
  readonly role: Role;
}

/** Limits are the limits that are in force in the daemon. Sizes are in bytes, times in milliseconds. */
export interface Limits {
  /** The largest message of `loadHandle`. */
  readonly maxLoadMessageBytes: number;
  /** The largest message of every other call. */
  readonly maxMessageBytes: number;
  /** The largest BTF that can be loaded. */
  readonly maxBtfBytes: number;
  readonly minTtl: number;
  readonly maxTtl: number;
  /** The TTL that is granted if a call requests none. */
  readonly defaultTtl: number;
  /** Maximum number of handles that one iteration holds. */
  readonly maxHeldPerStream: number;
  /** How long an iteration waits at that limit. */
  readonly holdStallTimeout: number;
  /** The largest log about refused BTF. */
  readonly maxLogBytes: number;
  /** Maximum number of handles that one call renews or closes. */
  readonly maxTokens: number;
  /** The largest encoded list of types in a LoadHandle. */
  readonly maxTypesBytes: number;
  /** The largest C header. */
  readonly maxCBytes: number;
  /** The largest object of `checkObject`, without its debug information; 0 if the daemon is older than `checkObject`. */
  readonly maxObjectBytes: number;
}

/**
 * KernelDigests identify the build of a kernel and of its modules, each by the SHA-256 of raw BTF in hexadecimal. Nodes with
 * the same `kernel` have the same kernel types.
 */
export interface KernelDigests {
  /** The SHA-256 of the BTF of vmlinux; null if the kernel has no BTF. */
  readonly kernel: string | null;
  /** The SHA-256 over the names and the BTF of all modules. It changes with every module that comes or goes. */
  readonly modules: string;
  /** The number of modules with BTF. */
  readonly moduleCount: number;
}

/** ServerInfo describes the daemon: its identity, its operations and its limits. */
export interface ServerInfo {
  /** The daemon's version. */
  readonly version: string;
  /** The kernel's boot id. BTF ids are valid only within one boot. */
  readonly bootId: string;
  /** The id of the daemon's run. Handles are valid only within one run. */
  readonly daemonEpoch: string;
  /** The kernel's release, as `uname -r` prints it. */
  readonly kernelRelease: string;
  /** The version of the kernel's build, as `uname -v` prints it; empty if the daemon is older than this field. */
  readonly kernelVersion: string;
  /** The name of the node, by the daemon's settings; empty if it has none, or if the daemon is older than this field. */
  readonly nodeName: string;
  /** The machine's architecture, as `uname -m` prints it. */
  readonly machine: string;
  readonly mode: Mode;
  /** The folder on the daemon's machine that BTF files are read from. */
  readonly btfDir: string;
  readonly operations: readonly OperationStatus[];
  /** The capabilities that the daemon has, of those that it can use. */
  readonly capabilities: { readonly sysAdmin: boolean; readonly bpf: boolean };
  readonly limits: Limits;
  /** The features of the kernel, as the daemon probed them; empty if it cannot load BTF. */
  readonly features: readonly FeatureStatus[];
  /** The same for `validate` and `adaptBtf` of `@btfd/btf`. Features that were not probed follow from the release. */
  readonly kernelFeatures: KernelFeatures;
  /** This client. Its role may forbid operations that are available. */
  readonly caller: Caller;
  /** The digests of the kernel; null unless `details` requested them, or if the daemon is older than them. */
  readonly digests: KernelDigests | null;
}

const MODES: Readonly<Record<number, Mode>> = {
  [ModeNumber.UNSPECIFIED]: 'unknown',
  [ModeNumber.FULL]: 'full',
  [ModeNumber.LOAD_AND_FILES]: 'load-and-files',
  [ModeNumber.FILES]: 'files',
} satisfies Record<ModeNumber, Mode>;

const OPERATIONS: Readonly<Record<number, Operation>> = {
  [OperationNumber.UNSPECIFIED]: 'unknown',
  [OperationNumber.LOAD]: 'load',
  [OperationNumber.OPEN_BY_ID]: 'open-by-id',
  [OperationNumber.LIST_IDS]: 'list-ids',
  [OperationNumber.SPEC_BY_NAME]: 'spec-by-name',
  [OperationNumber.HOLD_KERNEL]: 'hold-kernel',
} satisfies Record<OperationNumber, Operation>;

const ROLES: Readonly<Record<number, Role>> = {
  [RoleNumber.UNSPECIFIED]: 'unknown',
  [RoleNumber.VIEWER]: 'viewer',
  [RoleNumber.INSPECTOR]: 'inspector',
  [RoleNumber.LOADER]: 'loader',
} satisfies Record<RoleNumber, Role>;

/** serverInfoFromMessage returns the info in the response of GetServerInfo. */
export function serverInfoFromMessage(message: GetServerInfoResponse): ServerInfo {
  const { version, bootId, daemonEpoch, kernelRelease, machine, mode, btfDir, capabilities, limits } =
    message;
  return {
    version,
    bootId,
    daemonEpoch,
    kernelRelease,
    kernelVersion: message.kernelVersion,
    nodeName: message.nodeName,
    machine,
    mode: MODES[mode] ?? 'unknown',
    btfDir,
    operations: message.operations.map(({ operation, available, reason }) => ({
      operation: OPERATIONS[operation] ?? 'unknown',
      available,
      reason,
    })),
    capabilities: { sysAdmin: capabilities?.sysAdmin ?? false, bpf: capabilities?.bpf ?? false },
    limits: limitsFromMessage(limits),
    features: featuresFromMessage(message.features),
    kernelFeatures: kernelFeaturesFrom(kernelRelease, message.features),
    caller: {
      principal: message.caller?.principal ?? '',
      role: ROLES[message.caller?.role ?? RoleNumber.UNSPECIFIED] ?? 'unknown',
    },
    digests: digestsFromMessage(message),
  };
}

function digestsFromMessage({
  kernelDigest,
  modulesDigest,
  moduleCount,
}: GetServerInfoResponse): KernelDigests | null {
  // It is a digest even if there are no modules.
  if (modulesDigest.length === 0) return null;
  return {
    kernel: kernelDigest.length === 0 ? null : digestKey(kernelDigest),
    modules: digestKey(modulesDigest),
    moduleCount,
  };
}

function limitsFromMessage(message: LimitsMessage | undefined): Limits {
  return {
    maxLoadMessageBytes: message?.maxLoadMessageBytes ?? 0,
    maxMessageBytes: message?.maxMessageBytes ?? 0,
    maxBtfBytes: message?.maxBtfBytes ?? 0,
    minTtl: msOf(message?.minTtl),
    maxTtl: msOf(message?.maxTtl),
    defaultTtl: msOf(message?.defaultTtl),
    maxHeldPerStream: message?.maxHeldPerStream ?? 0,
    holdStallTimeout: msOf(message?.holdStallTimeout),
    maxLogBytes: message?.maxLogBytes ?? 0,
    maxTokens: message?.maxTokens ?? 0,
    maxTypesBytes: message?.maxTypesBytes ?? 0,
    maxCBytes: Number(message?.maxCBytes ?? 0),
    maxObjectBytes: message?.maxObjectBytes ?? 0,
  };
}

function msOf(duration: Duration | undefined): number {
  return duration === undefined ? 0 : durationMs(duration);
}
