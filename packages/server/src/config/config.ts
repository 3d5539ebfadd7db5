import { limitsFrom, type Limits } from './limits.js';
import type { Given } from './given.js';
import type { Setting } from './setting.js';

/** Config is what is in force: of each setting its value and where that came from. */
export class Config {
  /** @param given what was given of settings, by name; what is valid for them. */
  constructor(private readonly given: ReadonlyMap<string, Given>) {}

  /** The value of a setting. */
  get<T>({ name, kind, fallback }: Setting<T>): T {
    const given = this.given.get(name);
    return given === undefined ? fallback : kind.parse(given.texts);
  }

  /** Where a value came from; null for a default. */
  originOf({ name }: Setting<unknown>): string | null {
    return this.given.get(name)?.origin ?? null;
  }

  /** The value of a setting as text. */
  format<T>(setting: Setting<T>): string {
    return setting.kind.format(this.get(setting));
  }

  get limits(): Limits {
    return limitsFrom((setting) => this.get(setting));
  }
}
