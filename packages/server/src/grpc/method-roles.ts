import { BtfService } from '@btfd/api';
import type { Role } from '../auth/policy.js';
import type { BtfMethods } from './rpc.js';

/**
 * METHOD_ROLES gives the role that each RPC needs at least. Objects and details of them may need more: users' objects,
 * and who uses an object, are for inspectors.
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
 * roleForPath is the role that a method of any service needs, by its path, or null where none is needed.
 *
 * Health needs none, so that a probe works for who has none; it tells only that the daemon serves. Reflection is for
 * viewers: it tells nothing that isn't public, but nobody needs it who may call nothing. What isn't known is for
 * loaders, so that a service which is added without a thought isn't open to all.
 */
export function roleForPath(path: string): Role | null {
  if (path.startsWith('/grpc.health.v1.Health/')) return null;
  if (path.startsWith('/grpc.reflection.')) return 'viewer';
  return BY_PATH.get(path) ?? 'loader';
}
