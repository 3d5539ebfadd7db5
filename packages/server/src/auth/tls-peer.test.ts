import { describe, expect, test } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { Authority } from '../certs/authority.js';
import { commonNameOf, namesIn } from './tls-peer.js';

describe('namesIn', () => {
  test.each<[string, string[]]>([
    ['', []],
    ['DNS:a.example.org', ['dns:a.example.org']],
    [
      'DNS:B.Example.org, URI:spiffe://x/y, DNS:c, URI:urn:z',
      ['uri:spiffe://x/y', 'uri:urn:z', 'dns:b.example.org', 'dns:c'],
    ],
    ['IP Address:10.0.0.1, email:a@b.c, DNS:d', ['dns:d']],
    ['othername:<unsupported>, DNS:d', ['dns:d']],
    ['DNS:*.example.org', []],
    // As Node writes names that would be ambiguous otherwise.
    ['DNS:"a.org, URI:spiffe://x/loader", URI:spiffe://x/viewer', ['uri:spiffe://x/viewer']],
    ['URI:"spiffe://x/a,b"', ['uri:spiffe://x/a,b']],
    ['DNS:"\\u0000x"', []],
    // An ambiguous text has no names.
    ['DNS:a"b, URI:spiffe://x/y', []],
    ['URI:spiffe://x/y, "', []],
    ['URI:spiffe://x/y,DNS:a', []],
  ])('of %j', (text, names) => {
    expect(namesIn(text)).toEqual(names);
  });

  test('reads a name that imitates a list of names as one name', async () => {
    const { subjectAltName = '' } = await certificateOf('x', [
      'viewer.org, URI:spiffe',
      'spiffe://x/a, DNS:loader.org',
      'last.org',
    ]);
    // The first two have characters that no policy can have.
    expect(namesIn(subjectAltName)).toEqual(['dns:last.org']);
  });
});

test.each([
  ['agent', 'agent'],
  ['Agent, Inc.\nCN=root', 'Agent, Inc.\nCN=root'],
  ['', null],
  [null, null],
])('commonNameOf a subject with %j is %j', async (commonName, expected) => {
  expect(commonNameOf(await certificateOf(commonName, ['spiffe://x/y']))).toBe(expected);
});

async function certificateOf(commonName: string | null, names: readonly string[]): Promise<X509Certificate> {
  const now = Date.now();
  const validity = { notBefore: new Date(now - 1000), notAfter: new Date(now + 1e6) };
  const authority = await Authority.make('ca', validity);
  const { cert } = await authority.issue({ commonName, names, purpose: 'client', ...validity });
  return new X509Certificate(cert);
}
