import type { Type } from '../types.js';

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, Extract<keyof T, K>> : never;

/**
 * NewType is a type to add: as a {@link Type}, without its id, and the name may be left out where it is empty.
 * A decoded `Type` is one too; its id means nothing.
 */
export type NewType = Without<Type, 'id' | 'name'> & { readonly name?: string };
