import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { EXIT_MEANINGS, ExitCode, type ExitCodeName } from './exit-code.js';

const DOCUMENT = new URL('../../../../docs/btfctl.md', import.meta.url);

test('the documentation lists exactly these exit codes, with the same meanings', () => {
  const [, section = ''] = /^## Exit codes$([^]*?)^## /m.exec(readFileSync(DOCUMENT, 'utf8')) ?? [];
  const rows = [...section.matchAll(/^\| (\d+) +\| (.*?) +\|$/gm)].map(([, code, meaning]) => [
    code,
    meaning,
  ]);
  const names = Object.keys(ExitCode).filter((name): name is ExitCodeName => name in EXIT_MEANINGS);
  expect(rows).toEqual(names.map((name) => [String(ExitCode[name]), EXIT_MEANINGS[name]]));
});
