import {
  Feature as FeatureNumber,
  type GetServerInfoResponse,
  type Limits as LimitsMessage,
  Mode as ModeNumber,
  Operation as OperationNumber,
  Role as RoleNumber,
} from '@btfd/api';
import { msFromDuration } from '../base/duration.js';

/** Mode says what serves the daemon's operations; `btf.v1.Mode` explains each. */
export type Mode = 'full' | 'load-and-files' | 'files' | 'unknown';

/** Operation is something that works in one mode and not in another; `btf.v1.Operation` explains each. */
export type Operation = 'load' | 'open-by-id' | 'list-ids' | 'spec-by-name' | 'unknown';

/** OperationStatus tells whether an operation works. */
export interface OperationStatus {
  readonly operation: Operation;
  readonly available: boolean;
  /** Why it does not work, in words; empty where it does. */
  readonly reason: string;
}

/** Feature is something that a kernel's BTF can have since some release; `btf.v1.Feature` explains each. */
export type Feature =
  'btf' | 'func' | 'var' | 'func-linkage' | 'decl-tag' | 'type-tag' | 'enum64' | 'unknown';

/** FeatureStatus tells whether the daemon's kernel has a feature. */
export interface FeatureStatus {
  readonly feature: Feature;
  readonly supported: boolean;
}

/** Role is what a caller may do; `btf.v1.Role` explains each. */
export type Role = 'viewer' | 'inspector' | 'loader' | 'unknown';

/** Caller is who asks, as the daemon sees them. */
export interface Caller {
  /** The name that owns the caller's handles, such as `uid:1000`. */
  readonly principal: string;
  /** What they may do. */
  readonly role: Role;
}

/** Limits are the limits that the daemon has in force. Sizes are in bytes, times in milliseconds. */
export interface Limits {
  /** Largest message of `loadHandle`. */
  readonly maxLoadMessageBytes: number;
  /** Largest message of every other call. */
  readonly maxMessageBytes: number;
  /** Largest BTF that can be loaded. */
  readonly maxBtfBytes: number;
  readonly minTtl: number;
  readonly maxTtl: number;
  /** The TTL granted where none is asked for. */
  readonly defaultTtl: number;
  /** Handles that one iteration holds at most. */
  readonly maxHeldPerStream: number;
  /** How long an iteration waits at that bound. */
  readonly holdStallTimeout: number;
  /** Largest verifier log. */
  readonly maxLogBytes: number;
  /** Handles renewed or closed by one call at most. */
  readonly maxTokens: number;
  /** Largest list of types in a LoadHandle, encoded. */
  readonly maxTypesBytes: number;
  /** Largest header in C. */
  readonly maxCBytes: number;
}

/** ServerInfo tells what the daemon is and what it can do. */
export interface ServerInfo {
  /** The daemon's version. */
  readonly version: string;
  /** The kernel's boot id: BTF ids of different boots have nothing in common. */
  readonly bootId: string;
  /** The run of the daemon: handles of different runs have nothing in common. */
  readonly daemonEpoch: string;
  /** The kernel's release, as `uname -r`. */
  readonly kernelRelease: string;
  /** The machine's architecture, as `uname -m`. */
  readonly machine: string;
  readonly mode: Mode;
  /** The folder on the daemon's machine that BTF files are read from. */
  readonly btfDir: string;
  readonly operations: readonly OperationStatus[];
  /** The daemon's capabilities that matter. */
  readonly capabilities: { readonly sysAdmin: boolean; readonly bpf: boolean };
  readonly limits: Limits;
  /** What the kernel's BTF can have, as the daemon tried it; empty where nothing can be loaded. */
  readonly features: readonly FeatureStatus[];
  /** This client. What works there may still be forbidden to it. */
  readonly caller: Caller;
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
} satisfies Record<OperationNumber, Operation>;

const FEATURES: Readonly<Record<number, Feature>> = {
  [FeatureNumber.UNSPECIFIED]: 'unknown',
  [FeatureNumber.BTF]: 'btf',
  [FeatureNumber.FUNC]: 'func',
  [FeatureNumber.VAR]: 'var',
  [FeatureNumber.FUNC_LINKAGE]: 'func-linkage',
  [FeatureNumber.DECL_TAG]: 'decl-tag',
  [FeatureNumber.TYPE_TAG]: 'type-tag',
  [FeatureNumber.ENUM64]: 'enum64',
} satisfies Record<FeatureNumber, Feature>;

const ROLES: Readonly<Record<number, Role>> = {
  [RoleNumber.UNSPECIFIED]: 'unknown',
  [RoleNumber.VIEWER]: 'viewer',
  [RoleNumber.INSPECTOR]: 'inspector',
  [RoleNumber.LOADER]: 'loader',
} satisfies Record<RoleNumber, Role>;

/** serverInfoFromMessage reads the answer of GetServerInfo. */
export function serverInfoFromMessage(message: GetServerInfoResponse): ServerInfo {
  const { version, bootId, daemonEpoch, kernelRelease, machine, mode, btfDir, capabilities, limits } =
    message;
  return {
    version,
    bootId,
    daemonEpoch,
    kernelRelease,
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
    features: message.features.map(({ feature, supported }) => ({
      feature: FEATURES[feature] ?? 'unknown',
      supported,
    })),
    caller: {
      principal: message.caller?.principal ?? '',
      role: ROLES[message.caller?.role ?? RoleNumber.UNSPECIFIED] ?? 'unknown',
    },
  };
}

function limitsFromMessage(message: LimitsMessage | undefined): Limits {
  return {
    maxLoadMessageBytes: message?.maxLoadMessageBytes ?? 0,
    maxMessageBytes: message?.maxMessageBytes ?? 0,
    maxBtfBytes: message?.maxBtfBytes ?? 0,
    minTtl: msFromDuration(message?.minTtl),
    maxTtl: msFromDuration(message?.maxTtl),
    defaultTtl: msFromDuration(message?.defaultTtl),
    maxHeldPerStream: message?.maxHeldPerStream ?? 0,
    holdStallTimeout: msFromDuration(message?.holdStallTimeout),
    maxLogBytes: message?.maxLogBytes ?? 0,
    maxTokens: message?.maxTokens ?? 0,
    maxTypesBytes: message?.maxTypesBytes ?? 0,
    maxCBytes: Number(message?.maxCBytes ?? 0),
  };
}
