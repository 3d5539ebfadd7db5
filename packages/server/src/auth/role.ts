/** ROLES are what a caller may be, from the least to the most; each may do what those before it may. */
export const ROLES = ['viewer', 'inspector', 'loader'] as const;

/**
 * Role is what a caller may do: a viewer sees the kernel's own objects, an inspector users' objects too, and who uses
 * an object; a loader also loads BTF into the kernel.
 */
export type Role = (typeof ROLES)[number];

/** hasRole says whether a role, or null for none, is enough where one is needed. */
export function hasRole(role: Role | null, needed: Role): boolean {
  return role !== null && ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** higherRole is the one that may do more. */
export function higherRole(a: Role | null, b: Role | null): Role | null {
  return a !== null && (b === null || hasRole(a, b)) ? a : b;
}
