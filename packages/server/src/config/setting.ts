import type { Kind } from './kind.js';

/** Setting is something that users can choose. Flag, environment variable and key of the file have one name. */
export interface Setting<T> {
  /** In kebab case: `max-ttl` is `--max-ttl`, `BTFD_MAX_TTL`, and `max-ttl:`. */
  readonly name: string;
  readonly kind: Kind<T>;
  /** The value where none is given. */
  readonly fallback: T;
  /** What the default is in words, where the value alone does not tell. */
  readonly fallbackText?: string;
  /** What it is, in a line. */
  readonly description: string;
  /** Why the default is what it is. */
  readonly reason: string;
}

/** setting is a row of a table of settings: its default must be of its kind. */
export function setting<T>(row: Setting<T>): Setting<T> {
  return row;
}

/** flagOf is the flag of a setting. */
export function flagOf({ name }: Setting<unknown>): string {
  return `--${name}`;
}

/** variableOf is the environment variable of a setting. */
export function variableOf({ name }: Setting<unknown>): string {
  return `${VARIABLE_PREFIX}${name.toUpperCase().replaceAll('-', '_')}`;
}

/** defaultOf is the default of a setting as text. */
export function defaultOf<T>({ kind, fallback, fallbackText }: Setting<T>): string {
  return fallbackText ?? kind.format(fallback);
}

/** VARIABLE_PREFIX starts the name of every environment variable of a setting. */
export const VARIABLE_PREFIX = 'BTFD_';
