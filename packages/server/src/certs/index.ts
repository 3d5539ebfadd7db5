/**
 * Certificates for trying out and testing mutual TLS.
 *
 * ```ts
 * import { initCertificates } from '@btfd/server/certs';
 *
 * const { ca, serverCert, serverKey } = await initCertificates('/tmp/certs');
 * ```
 *
 * The daemon does not load this module.
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
