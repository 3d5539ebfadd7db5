import { defaultOf } from '../config/setting.js';
import { SETTING_GROUPS } from '../config/settings.js';
import { markdownTable } from './markdown-table.js';

/** settingsTable is the documentation of all settings, in Markdown. */
export function settingsTable(): string {
  return SETTING_GROUPS.map(({ title, settings }) => {
    const rows = settings.map((setting) => {
      const { name, kind, description, reason } = setting;
      const note = kind.note === undefined ? '' : `; ${kind.note}`;
      return [`\`${name}\``, defaultOf(setting), `${description}${note}`, reason];
    });
    return `### ${title}\n\n${markdownTable(['setting', 'default', 'what it is', 'why this default'], rows)}\n`;
  }).join('\n');
}
