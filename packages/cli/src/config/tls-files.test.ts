import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect, test } from '@jest/globals';
import { checkedTls } from './tls-files.js';

const [CA = ''] = rootCertificates;
const SIGNAL = new AbortController().signal;

test('A client gets the paths of files, which it reads again when they change, and the contents of a pipe', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'btfctl-tls-'));
  try {
    const [caFile, pipe] = ['ca.crt', 'pipe'].map((name) => join(dir, name));
    writeFileSync(caFile ?? '', CA);
    expect(await checkedTls({ caFile, serverName: 'web1' }, SIGNAL, null)).toEqual({
      caFile,
      serverName: 'web1',
    });
    execFileSync('mkfifo', [pipe ?? '']);
    const contents = checkedTls({ caFile: pipe }, SIGNAL, null);
    await writeFile(pipe ?? '', CA);
    expect(await contents).toMatchObject({ ca: Buffer.from(CA) });
    expect(await checkedTls({ serverName: 'web1' }, SIGNAL, null)).toMatchObject({ serverName: 'web1' });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
