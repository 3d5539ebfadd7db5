import type { Caller } from '../auth/caller.js';
import { hasRole, type Role } from '../auth/role.js';
import { Origin } from '@btfd/api';

/** callerAs is a caller with a role. */
export function callerAs(role: Role | null, principal = 'uid:1000'): Caller {
  return {
    principal,
    role,
    may: (needed) => hasRole(role, needed),
    maySee: (origin) => hasRole(role, origin === Origin.USER ? 'inspector' : 'viewer'),
  };
}

/** LOADER may do everything. */
export const LOADER = callerAs('loader');
