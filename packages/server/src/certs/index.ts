/**
 * Certificates to try mutual TLS with, and to test it.
 *
 * ```ts
 * import { initCertificates } from '@btfd/server/certs';
 *
 * const { ca, serverCert, serverKey } = await initCertificates('/tmp/certs');
 * ```
 *
 * Apart from the daemon, which needs none of it.
 *
 * @module
 */
export { Authority, type CertificateRequest, type KeyPair, type Validity } from './authority.js';
export {
  CLIENT_NAME,
  initCertificates,
  type CertificateFiles,
  type InitCertificatesOptions,
} from './init-certificates.js';
