/** Given is what one source says of a setting. */
export interface Given {
  /** One text, or those of a list. */
  readonly texts: readonly string[];
  /** Where it was given: `--max-ttl`, `BTFD_MAX_TTL`, `/etc/btfd/config.yaml:7`. */
  readonly origin: string;
  /** What a message about it begins with: the same, and the key of a file. */
  readonly subject: string;
}

/** Source is what flags, the environment or a file say, by the names of settings, and what is wrong with it. */
export interface Source {
  readonly given: ReadonlyMap<string, Given>;
  readonly problems: readonly string[];
}
