/** Kind describes the values that a setting takes: how they are read and how they are written. */
export interface Kind<T> {
  /** Stands for a value in help, such as `SIZE`. Null for a switch, which is a flag without a value. */
  readonly placeholder: string | null;
  /** Whether a setting may be given several times, or as a list. */
  readonly isList: boolean;
  /** Help adds this to the description of each setting of this kind. */
  readonly note?: string;
  /**
   * Reads a value from the texts given for it.
   *
   * @throws Error that says what is wrong with the text and what is accepted.
   */
  parse(texts: readonly string[]): T;
  /**
   * Checks a value against the system, for example that a folder exists. Unlike `parse`, it may wait for a file system.
   *
   * @throws Error that says what is wrong.
   */
  check?(value: T): Promise<void>;
  /** Returns a value as a text that `parse` accepts. */
  format(value: T): string;
}

/** Setting is an option of the daemon. Its flag, environment variable and key in the file share one name. */
export interface Setting<T> {
  /** In kebab case: `max-ttl` is `--max-ttl`, `BTFD_MAX_TTL`, and `max-ttl:`. */
  readonly name: string;
  readonly kind: Kind<T>;
  /** The value if none is given. */
  readonly fallback: T;
  /** The default in words, if the value alone does not say it. */
  readonly fallbackText?: string;
  /** A description in one line. */
  readonly description: string;
  /** Why the default is what it is. */
  readonly reason: string;
}

/** setting types a row of a table of settings: its default must be of its kind. */
export function setting<T>(row: Setting<T>): Setting<T> {
  return row;
}

/** flagOf returns the flag of a setting. */
export function flagOf({ name }: Pick<Setting<unknown>, 'name'>): string {
  return `--${name}`;
}

/** variableOf returns the environment variable of a setting. */
export function variableOf({ name }: Pick<Setting<unknown>, 'name'>): string {
  return `${VARIABLE_PREFIX}${name.toUpperCase().replaceAll('-', '_')}`;
}

/** defaultOf returns the default of a setting as text. */
export function defaultOf<T>({ kind, fallback, fallbackText }: Setting<T>): string {
  return fallbackText ?? kind.format(fallback);
}

/** VARIABLE_PREFIX starts the name of every environment variable of a setting. */
export const VARIABLE_PREFIX = 'BTFD_';

/** SettingText is the value that one source gives to a setting, as text. */
export interface SettingText {
  /** One text, or those of a list. */
  readonly texts: readonly string[];
  /** Where it was given: `--max-ttl`, `BTFD_MAX_TTL`, `/etc/btfd/config.yaml:7`. */
  readonly origin: string;
  /** Messages about it begin with this: the origin, and also the key in a file. */
  readonly subject: string;
}

/** Source holds the values that flags, the environment or a file give to settings by name, and the problems found. */
export interface Source {
  readonly given: ReadonlyMap<string, SettingText>;
  readonly problems: readonly string[];
}
