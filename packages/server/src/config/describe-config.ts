import type { Config } from './config.js';
import { defaultOf } from './setting.js';
import { SETTINGS } from './settings.js';

/** describeConfig is a table of what is in force: each setting, its value, and where that came from. */
export function describeConfig(config: Config): string {
  const rows = SETTINGS.map((setting) => {
    const origin = config.originOf(setting);
    const value = origin === null ? defaultOf(setting) : config.format(setting);
    return [setting.name, value, origin ?? 'default'] as const;
  });
  const width = (column: 0 | 1): number =>
    Math.max(...rows.map((row) => row[column].length).filter((length) => length <= MAX_WIDTH));
  const widths = [width(0), width(1)] as const;
  return rows
    .map(([name, value, origin]) => `${name.padEnd(widths[0])}  ${value.padEnd(widths[1])}  ${origin}\n`)
    .join('');
}

/** One long value does not push every other line's end out of sight. */
const MAX_WIDTH = 40;
