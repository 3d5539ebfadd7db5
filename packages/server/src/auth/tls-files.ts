import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { errorMessage } from '../error/error-code.js';

/** TlsFiles are the PEM files that TLS on TCP needs. */
export interface TlsFiles {
  /** The server's certificate, then those of intermediate authorities. */
  readonly cert: string;
  /** The private key of the certificate. */
  readonly key: string;
  /** The authorities whose client certificates are trusted. */
  readonly clientCa: string;
}

/** TlsKeys are the contents of TlsFiles. */
export interface TlsKeys {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
  /** When the server's certificate ends. */
  readonly validUntil: Date;
}

/**
 * readTlsFiles reads keys and certificates, and checks that they can serve together.
 *
 * @throws Error that names the file and says what is wrong with it. It has nothing of a key in it.
 */
export function readTlsFiles(files: TlsFiles): TlsKeys {
  const cert = readFile('certificate', files.cert);
  const key = readFile('key', files.key);
  const ca = readFile('client authorities', files.clientCa);
  const [own] = certificatesIn(cert, files.cert);
  certificatesIn(ca, files.clientCa);
  try {
    createSecureContext({ cert, key, ca });
  } catch (error) {
    const why = errorMessage(error);
    throw new Error(`the key ${files.key} does not serve the certificate ${files.cert}: ${why}`, {
      cause: error,
    });
  }
  return { cert, key, ca, validUntil: new Date(own.validTo) };
}

function readFile(what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const why = errorMessage(error);
    throw new Error(`the ${what} ${file} cannot be read: ${why}`, { cause: error });
  }
}

/** Every certificate of a PEM file: the TLS library skips what it can't read. */
function certificatesIn(pem: Buffer, file: string): [X509Certificate, ...X509Certificate[]] {
  const text = pem.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  // A file that is being written, or was put together of one, would lose authorities without a word.
  if (
    text
      .replaceAll(/-----BEGIN ([^-]+)-----(?:(?!-----BEGIN)[^])*?-----END \1-----/g, '')
      .includes('-----BEGIN')
  ) {
    throw new Error(`${file} has a certificate without its end`);
  }
  const [first, ...others] = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new Error(`certificate ${index + 1} in ${file} cannot be read`, { cause: error });
    }
  });
  if (first === undefined) throw new Error(`${file} has no certificate in PEM`);
  return [first, ...others];
}
