import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { TempDir } from '../testing/temp-dir.js';
import { initCertificates } from './init-certificates.js';

const certificate = (file: string): X509Certificate => new X509Certificate(readFileSync(file));

describe('initCertificates', () => {
  test('makes certificates that the authority has signed, each with its key', async () => {
    using dir = new TempDir();
    const files = await initCertificates(join(dir.path, 'certs'));
    const ca = certificate(files.ca);
    expect([ca.ca, ca.verify(ca.publicKey)]).toEqual([true, true]);
    const pairs = [
      [files.serverCert, files.serverKey],
      [files.clientCert, files.clientKey],
    ] as const;
    for (const [cert, key] of pairs) {
      const issued = certificate(cert);
      expect([issued.ca, issued.checkIssued(ca), issued.verify(ca.publicKey)]).toEqual([false, true, true]);
      expect(issued.checkPrivateKey(createPrivateKey(readFileSync(key)))).toBe(true);
    }
  });

  test('uses the requested names and validity', async () => {
    using dir = new TempDir();
    const files = await initCertificates(dir.path, {
      serverNames: ['node.example.org', '10.0.0.1', '::1'],
      clientNames: ['spiffe://example.org/agent', 'agent.example.org'],
      days: 2,
      now: new Date('2030-01-01T00:00:00Z'),
    });
    const server = certificate(files.serverCert);
    expect(server.subjectAltName).toBe(
      'DNS:node.example.org, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect(certificate(files.clientCert).subjectAltName).toBe(
      'URI:spiffe://example.org/agent, DNS:agent.example.org',
    );
    expect([server.validFrom, server.validTo]).toEqual([
      'Dec 31 23:55:00 2029 GMT',
      'Jan  3 00:00:00 2030 GMT',
    ]);
  });

  test('makes the keys readable by their owner only', async () => {
    using dir = new TempDir();
    const files = await initCertificates(join(dir.path, 'certs'));
    for (const key of [files.caKey, files.serverKey, files.clientKey]) {
      expect(statSync(key).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(dir.path, 'certs')).mode & 0o777).toBe(0o700);
  });

  test.each(['ca.crt', 'client.key'])('writes nothing if there is already a %s', async (name) => {
    using dir = new TempDir();
    dir.write(name, 'precious');
    await expect(initCertificates(dir.path)).rejects.toThrow(
      `${name} already exists: remove it or use another folder`,
    );
    expect(readdirSync(dir.path)).toEqual([name]);
    expect(readFileSync(join(dir.path, name), 'utf8')).toBe('precious');
  });

  test.each(['/proc/nothing/certs', '/proc/nothing'])('fails if it cannot make %s', async (path) => {
    await expect(initCertificates(path)).rejects.toThrow("ENOENT: no such file or directory, mkdir '/proc/");
  });

  test.each([0, -1, Number.NaN])('rejects %s days', async (days) => {
    await expect(initCertificates('/nonexistent', { days })).rejects.toThrow(RangeError);
  });
});
