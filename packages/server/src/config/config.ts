import { limitsFrom, type Limits } from './limits.js';
import type { Setting, SettingText } from './setting.js';

/** Config holds the settings in force: the value of each, and where it came from. */
export class Config {
  readonly #given: ReadonlyMap<string, SettingText>;

  /** @param given the settings that were given, by name. Each must be valid. */
  constructor(given: ReadonlyMap<string, SettingText>) {
    this.#given = given;
  }

  /** get returns the value of a setting. */
  get<T>({ name, kind, fallback }: Setting<T>): T {
    const given = this.#given.get(name);
    return given === undefined ? fallback : kind.parse(given.texts);
  }

  /** originOf returns where the value of a setting came from, or null for a default. */
  originOf({ name }: Setting<unknown>): string | null {
    return this.#given.get(name)?.origin ?? null;
  }

  /** format returns the value of a setting as text. */
  format<T>(setting: Setting<T>): string {
    return setting.kind.format(this.get(setting));
  }

  /** The limits in force. */
  get limits(): Limits {
    return limitsFrom((setting) => this.get(setting));
  }
}
