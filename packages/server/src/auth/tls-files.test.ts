import { chmodSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { initCertificates } from '../certs/init-certificates.js';
import { TempDir } from '../testing/temp-dir.js';
import { readTlsFiles, type TlsFiles } from './tls-files.js';

async function setUp() {
  const dir = new TempDir();
  const made = await initCertificates(dir.path);
  const files: TlsFiles = { cert: made.serverCert, key: made.serverKey, clientCa: made.ca };
  return { dir, made, files, [Symbol.dispose]: () => dir[Symbol.dispose]() };
}

describe('readTlsFiles', () => {
  test('accepts files that belong together', async () => {
    using served = await setUp();
    const { validUntil } = await readTlsFiles(served.files);
    expect(validUntil.getTime()).toBeGreaterThan(Date.now());
  });

  test('accepts a file with both certificate and key', async () => {
    using served = await setUp();
    const both = readFileSync(served.files.cert, 'utf8') + readFileSync(served.files.key, 'utf8');
    const file = served.dir.write('both.pem', both);
    chmodSync(file, 0o600);
    await expect(readTlsFiles({ ...served.files, cert: file, key: file })).resolves.toBeDefined();
  });

  test('refuses the key of another certificate, and reveals nothing of it', async () => {
    using served = await setUp();
    const files = { ...served.files, key: served.made.clientKey };
    await expect(readTlsFiles(files)).rejects.toThrow(
      /^cannot use the key .*client\.key with the certificate .*server\.crt: [^-]*key values mismatch$/,
    );
  });

  test.each([
    ['cert', 'an invalid certificate', 'x', 'has no PEM certificate'],
    ['clientCa', 'invalid authorities', '', 'has no PEM certificate'],
    [
      'clientCa',
      'an authority that cannot be read',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'certificate 1 in ',
    ],
    ['key', 'an invalid key', 'x', 'cannot use the key'],
  ] as const)('refuses the setting %s with %s', async (field, _, content, message) => {
    using served = await setUp();
    const file = served.dir.write('other.pem', content);
    await expect(readTlsFiles({ ...served.files, [field]: file })).rejects.toThrow(message);
    await expect(readTlsFiles({ ...served.files, [field]: file })).rejects.toThrow('other.pem');
  });

  test.each([
    ['the last of which is cut off', (pem: string) => pem + pem.slice(0, -40)],
    ['the last of which is cut off in its first line', (pem: string) => pem + pem.slice(0, 20)],
    ['the first of which is cut off', (pem: string) => `${pem.slice(0, -40)}\n${pem}`],
  ])('refuses authorities %s', async (_, change) => {
    using served = await setUp();
    const ca = readFileSync(served.made.ca, 'utf8');
    await expect(
      readTlsFiles({ ...served.files, clientCa: served.dir.write('two.pem', ca + ca) }),
    ).resolves.toBeDefined();
    const clientCa = served.dir.write('half.pem', change(ca));
    await expect(readTlsFiles({ ...served.files, clientCa })).rejects.toThrow(
      'half.pem has a certificate that is cut off',
    );
  });

  test('names a file that does not exist', async () => {
    using served = await setUp();
    await expect(readTlsFiles({ ...served.files, clientCa: '/nonexistent/ca' })).rejects.toThrow(
      'cannot use the client authorities /nonexistent/ca: ENOENT',
    );
  });
});
