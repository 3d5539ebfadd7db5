import { machine, release, version as kernelVersion } from 'node:os';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Operation, Role as RoleNumber, ServerDetail, type Feature } from '@btfd/api';
import type { Role } from '../auth/policy.js';
import type { Rpc } from '../grpc/rpc.js';
import { invalidRequest } from '../error/service-error.js';
import type { Access } from '../kernel/access.js';
import type { ObjectNames } from '../kernel/object-names.js';
import { readBootId } from '../kernel/features.js';
import type { Services } from './services.js';

const OPERATIONS = [
  Operation.LOAD,
  Operation.OPEN_BY_ID,
  Operation.LIST_IDS,
  Operation.SPEC_BY_NAME,
  Operation.HOLD_KERNEL,
] as const;

const ROLE_NUMBERS = {
  viewer: RoleNumber.VIEWER,
  inspector: RoleNumber.INSPECTOR,
  loader: RoleNumber.LOADER,
} as const satisfies Record<Role, RoleNumber>;

/** getServerInfo serves GetServerInfo. */
export function getServerInfo({
  version,
  kernel,
  files,
  access,
  names,
  features,
  handles,
  limits,
  build,
  nodeName,
}: Services): Rpc<'getServerInfo'> {
  const bootId = readBootId();
  const { sysAdmin, bpf } = kernel.capabilities();
  return async ({ details }, { caller: { principal, role } }) => ({
    ...(asksDigests(details) ? await build.digests() : {}),
    version,
    bootId,
    daemonEpoch: handles.epoch,
    kernelRelease: release(),
    kernelVersion: kernelVersion(),
    machine: machine(),
    nodeName: nodeName(),
    mode: access.mode,
    btfDir: files.dir,
    operations: OPERATIONS.map((operation) => {
      const reason = whyNot(operation, access, names);
      return { operation, available: reason === null, reason: reason ?? '' };
    }),
    capabilities: { sysAdmin, bpf },
    features: access.refusal(Operation.LOAD) === null ? featureList(await features.all()) : [],
    caller: { principal, role: role === null ? RoleNumber.UNSPECIFIED : ROLE_NUMBERS[role] },
    limits: {
      maxLoadMessageBytes: limits.maxLoadMessageBytes,
      maxMessageBytes: limits.maxMessageBytes,
      maxBtfBytes: limits.maxBtfBytes,
      minTtl: durationFromMs(limits.minTtlMs),
      maxTtl: durationFromMs(limits.maxTtlMs),
      defaultTtl: durationFromMs(limits.defaultTtlMs),
      maxHeldPerStream: limits.maxHeldPerStream,
      holdStallTimeout: durationFromMs(limits.holdStallMs),
      maxLogBytes: limits.maxLogBytes,
      maxTokens: limits.maxTokens,
      maxTypesBytes: limits.maxTypesBytes,
      maxCBytes: BigInt(limits.maxCBytes),
      maxObjectBytes: limits.maxObjectBytes,
    },
  });
}

/** @throws ServiceError INVALID_REQUEST for an unknown detail. */
function asksDigests(details: readonly ServerDetail[]): boolean {
  for (const [index, detail] of details.entries()) {
    if (detail !== ServerDetail.DIGESTS)
      throw invalidRequest(`details[${index}]`, `${detail} is not a detail`);
  }
  return details.length > 0;
}

/** Returns why an operation does not work, or null if it works. */
function whyNot(
  operation: Operation,
  access: Access,
  { kernelBtfHasIds }: Pick<ObjectNames, 'kernelBtfHasIds'>,
): string | null {
  if (operation !== Operation.HOLD_KERNEL) return access.refusal(operation)?.message ?? null;
  // Only a list has its ids.
  const needed = [Operation.OPEN_BY_ID, Operation.LIST_IDS, Operation.SPEC_BY_NAME] as const;
  const refusal = needed.map((each) => access.refusal(each)).find((each) => each !== null) ?? null;
  if (refusal !== null) return refusal.message;
  if (kernelBtfHasIds) return null;
  return 'the kernel gives its own BTF no id, as before Linux 5.11: vmlinux can be read by name, modules have no BTF';
}

function featureList(features: ReadonlyMap<Feature, boolean>): { feature: Feature; supported: boolean }[] {
  return [...features]
    .map(([feature, supported]) => ({ feature, supported }))
    .toSorted((a, b) => a.feature - b.feature);
}
