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
  test('takes what serves together', async () => {
    using served = await setUp();
    const { validUntil } = readTlsFiles(served.files);
    expect(validUntil.getTime()).toBeGreaterThan(Date.now());
  });

  test('refuses the key of another certificate, without a word of it', async () => {
    using served = await setUp();
    const files = { ...served.files, key: served.made.clientKey };
    expect(() => readTlsFiles(files)).toThrow(
      /^the key .*client\.key does not serve the certificate .*server\.crt: [^-]*key values mismatch$/,
    );
  });

  test.each([
    ['cert', 'a certificate that is none', 'x', 'has no certificate in PEM'],
    ['clientCa', 'authorities that are none', '', 'has no certificate in PEM'],
    [
      'clientCa',
      'an authority that cannot be read',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'certificate 1 in ',
    ],
    ['key', 'a key that is none', 'x', 'does not serve the certificate'],
  ] as const)('refuses as %s %s', async (field, _, content, message) => {
    using served = await setUp();
    const file = served.dir.write('other.pem', content);
    expect(() => readTlsFiles({ ...served.files, [field]: file })).toThrow(message);
    expect(() => readTlsFiles({ ...served.files, [field]: file })).toThrow('other.pem');
  });

  test('names the file that is not there', async () => {
    using served = await setUp();
    expect(() => readTlsFiles({ ...served.files, clientCa: '/nonexistent/ca' })).toThrow(
      'the client authorities /nonexistent/ca cannot be read: ENOENT',
    );
  });
});
