import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
  type X509Certificate,
} from '@peculiar/x509';

/** KeyPair is a certificate and its private key, both in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Validity is the period in which a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** CertificateRequest lists the contents of a certificate. */
export interface CertificateRequest extends Validity {
  /** If null, the subject is empty, as in SPIFFE. */
  readonly commonName: string | null;
  /** Subject alternative names: URIs (with a colon), IP addresses, and DNS names. */
  readonly names: readonly string[];
  readonly purpose: 'server' | 'client';
}

/** Every TLS 1.2 stack supports it. */
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Authority signs certificates with a key of its own. */
export class Authority {
  /** The authority's own certificate and key. */
  readonly pair: KeyPair;
  readonly #certificate: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair, pair: KeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.pair = pair;
  }

  /** Makes a key and a self-signed certificate. Returns the authority that has them. */
  static async make(commonName: string, validity: Validity): Promise<Authority> {
    cryptoProvider.set(webcrypto);
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerialNumber(),
      name: nameOf(commonName),
      ...validity,
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        // It signs no other authorities.
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new Authority(certificate, keys, await pairOf(certificate, keys));
  }

  /** Makes a key and issues a certificate for it. Returns both. */
  async issue({ commonName, names, purpose, ...validity }: CertificateRequest): Promise<KeyPair> {
    const keys = await newKeys();
    const usage = purpose === 'server' ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
    const certificate = await X509CertificateGenerator.create({
      serialNumber: newSerialNumber(),
      subject: nameOf(commonName),
      issuer: this.#certificate.subject,
      ...validity,
      signingAlgorithm: ALGORITHM,
      signingKey: this.#keys.privateKey,
      publicKey: keys.publicKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([usage]),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
        await AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
        ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names.map(alternativeName))]),
      ],
    });
    return pairOf(certificate, keys);
  }
}

function alternativeName(value: string): { type: 'ip' | 'url' | 'dns'; value: string } {
  if (isIP(value) !== 0) return { type: 'ip', value };
  return { type: value.includes(':') ? 'url' : 'dns', value };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function pairOf(
  certificate: X509Certificate,
  { privateKey }: webcrypto.CryptoKeyPair,
): Promise<KeyPair> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n'),
  };
}

function nameOf(commonName: string | null): { CN: string[] }[] {
  return commonName === null ? [] : [{ CN: [commonName] }];
}

/** 127 bits: RFC 5280 allows 20 bytes at most, and the number must be positive. */
function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
  return bytes.toString('hex');
}
