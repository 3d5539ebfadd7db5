import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { TlsPeer, UnknownPeer } from './peer.js';

/** tlsPeer returns the peer of a connection whose handshake is complete. */
export function tlsPeer(socket: TLSSocket): TlsPeer | UnknownPeer {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return { kind: 'unknown', why: 'the client sent no certificate' };
  if (!socket.authorized) return { kind: 'unknown', why: `the client certificate ${whyNot(socket)}` };
  const commonName = commonNameOf(certificate);
  return {
    kind: 'tls',
    names: namesIn(certificate.subjectAltName ?? ''),
    commonName: commonName === null ? null : `cn:${commonName}`,
    validUntil: Date.parse(certificate.validTo),
  };
}

/** commonNameOf returns the common name of a certificate's subject; null if it has none, or several. */
export function commonNameOf(certificate: X509Certificate): string | null {
  const { subject }: { subject?: object } = certificate.toLegacyObject();
  const name: unknown = subject !== undefined && 'CN' in subject ? subject.CN : null;
  return typeof name === 'string' && name !== '' ? name : null;
}

function whyNot({ authorizationError }: TLSSocket): string {
  // Node's types say Error, but it is OpenSSL's error code for the certificate.
  const code = String(authorizationError);
  return REASONS.get(code) ?? `is not trusted: ${code}`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'has expired'],
  ['CERT_NOT_YET_VALID', 'is not valid yet'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'is not signed by a trusted authority'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'is not signed by a trusted authority'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'is not signed by a trusted authority'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'is not signed by a trusted authority'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'is not signed by a trusted authority'],
  ['CERT_SIGNATURE_FAILURE', 'is not signed by a trusted authority'],
  ['INVALID_PURPOSE', 'is not for clients'],
]);

/** A name, in JSON quotes if it has characters that would make it ambiguous. */
const NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/y;

/**
 * namesIn returns the principals in Node's text of subject alternative names: URIs in their order, then DNS names. It
 * leaves out names that a policy cannot have: those with a wildcard or with characters outside ASCII. It returns none if
 * it cannot parse the text to its end.
 */
export function namesIn(text: string): string[] {
  const uris: string[] = [];
  const dnsNames: string[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < text.length) {
    const [, type = '', value = ''] = NAME.exec(text) ?? [];
    if (type === '') return [];
    const name = value.startsWith('"') ? unquoted(value) : value;
    if (name === null) return [];
    if (type === 'URI' && /^[!-~]+$/.test(name)) uris.push(`uri:${name}`);
    if (type === 'DNS' && /^[A-Za-z0-9._-]+$/.test(name)) dnsNames.push(`dns:${name.toLowerCase()}`);
  }
  return [...uris, ...dnsNames];
}

function unquoted(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
