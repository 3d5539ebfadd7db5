import { BtfService } from '@btfd/api';
import type { Role } from '../auth/policy.js';
import type { BtfMethods } from './rpc.js';

/**
 * METHOD_ROLES is the lowest role that may call each RPC. Some objects and details need more: users' objects, and the
 * users of an object, are for inspectors.
 */
export const METHOD_ROLES = {
  loadHandle: 'loader',
  getHandleById: 'viewer',
  iterateHandles: 'viewer',
  takeHandle: 'viewer',
  cloneHandle: 'viewer',
  getHandleInfo: 'viewer',
  renewHandles: 'viewer',
  closeHandles: 'viewer',
  spec: 'viewer',
  watchHandles: 'viewer',
  resolveMembers: 'viewer',
  checkObject: 'viewer',
  getServerInfo: 'viewer',
} as const satisfies Record<keyof BtfMethods, Role>;

const BY_NAME: ReadonlyMap<string, Role> = new Map(Object.entries(METHOD_ROLES));

const BY_PATH: ReadonlyMap<string, Role | undefined> = new Map(
  BtfService.methods.map(({ name, localName }) => [
    `/${BtfService.typeName}/${name}`,
    BY_NAME.get(localName),
  ]),
);

/**
 * roleForPath returns the role that a method of any service needs, by its path; null if it needs none.
 *
 * Health needs none, so that a probe needs no role. It reveals only that the daemon serves. Reflection is for viewers: it
 * reveals nothing secret, but a caller without a role does not need it. Any other service is for loaders, so that a
 * service that somebody adds without a role is not open to everybody.
 */
export function roleForPath(path: string): Role | null {
  if (path.startsWith('/grpc.health.v1.Health/')) return null;
  if (path.startsWith('/grpc.reflection.')) return 'viewer';
  return BY_PATH.get(path) ?? 'loader';
}
