import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readTrustedFile, type TrustedFileOptions } from '../base/trusted-file.js';
import { errorMessage } from '../error/error-code.js';

/** TlsFiles are the PEM files that TLS on TCP needs. */
export interface TlsFiles {
  /** The server's certificate, followed by those of intermediate authorities. */
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
  /** When the server's certificate expires. */
  readonly validUntil: Date;
}

/**
 * readTlsFiles reads the key and the certificates, and checks that they work together.
 *
 * @throws Error if `readTrustedFile` refuses a file, if a file is not valid, or if the key does not belong to the
 * certificate. It names the file, and contains nothing of a key.
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsKeys> {
  const cert = await readFile('certificate', files.cert);
  const key = await readFile('key', files.key, { secret: true });
  const ca = await readFile('client authorities', files.clientCa);
  const [own] = certificatesIn(cert, files.cert);
  certificatesIn(ca, files.clientCa);
  try {
    createSecureContext({ cert, key, ca });
  } catch (error) {
    const why = errorMessage(error);
    throw new Error(`cannot use the key ${files.key} with the certificate ${files.cert}: ${why}`, {
      cause: error,
    });
  }
  return { cert, key, ca, validUntil: new Date(own.validTo) };
}

async function readFile(what: string, file: string, options?: TrustedFileOptions): Promise<Buffer> {
  try {
    return await readTrustedFile(file, options);
  } catch (error) {
    const why = errorMessage(error);
    throw new Error(`cannot use the ${what} ${file}: ${why}`, { cause: error });
  }
}

/** Reads every certificate of a PEM file. OpenSSL would skip those that it cannot read. */
function certificatesIn(pem: Buffer, file: string): [X509Certificate, ...X509Certificate[]] {
  const text = pem.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  // A file that is only half written would silently lose authorities.
  if (
    text
      .replaceAll(/-----BEGIN ([^-]+)-----(?:(?!-----BEGIN)[^])*?-----END \1-----/g, '')
      .includes('-----BEGIN')
  ) {
    throw new Error(`${file} has a certificate that is cut off`);
  }
  const [first, ...others] = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch (error) {
      throw new Error(`cannot read certificate ${index + 1} in ${file}`, { cause: error });
    }
  });
  if (first === undefined) throw new Error(`${file} has no PEM certificate`);
  return [first, ...others];
}
