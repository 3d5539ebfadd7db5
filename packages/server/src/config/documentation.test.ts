import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { format, resolveConfig } from 'prettier';
import { settingsTable } from '../testing/settings-table.js';

const DOCUMENT = fileURLToPath(new URL('../../../../docs/operations.md', import.meta.url));
const BEGIN = '<!-- settings: UPDATE_DOCS=1 pnpm test packages/server/src/config/documentation -->\n';
const END = '<!-- end of settings -->\n';

test('docs/operations.md has every setting as it is', async () => {
  const document = readFileSync(DOCUMENT, 'utf8');
  const [before = '', rest = ''] = document.split(BEGIN);
  const after = rest.split(END)[1] ?? '';
  const options = await resolveConfig(DOCUMENT);
  const current = await format(`${before}${BEGIN}\n${settingsTable()}\n${END}${after}`, {
    ...options,
    parser: 'markdown',
  });
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(DOCUMENT, current);
  else expect(document).toBe(current);
});
