import { markdownTable } from './made-block.js';

/** DocumentedSetting is a setting of the daemon, in words. */
export interface DocumentedSetting {
  readonly name: string;
  readonly defaultText: string;
  readonly description: string;
  /** Why the default is what it is. */
  readonly reason: string;
}

/** SettingGroup is a group of settings with its title. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly DocumentedSetting[];
}

/** settingsTable returns the documentation of all settings, in Markdown. */
export function settingsTable(groups: readonly SettingGroup[]): string {
  return groups
    .map(({ title, settings }) => {
      const rows = settings.map(({ name, defaultText, description, reason }) => [
        `\`${name}\``,
        defaultText,
        description,
        reason,
      ]);
      return `### ${title}\n\n${markdownTable(['setting', 'default', 'description', 'why this default'], rows)}\n`;
    })
    .join('\n');
}
