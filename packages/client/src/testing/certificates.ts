import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** KeyPair is a certificate with its private key, in PEM. */
export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Certificates issues certificates of an authority of its own, with openssl. */
export class Certificates implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'btfd-certificates-'));

  constructor() {
    this.#openssl('req', '-x509', '-subj', '/CN=test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  }

  /** The authority's own certificate. */
  get ca(): Buffer {
    return readFileSync(join(this.#dir, 'ca.pem'));
  }

  /** Returns a certificate for a DNS name, and for others such as `IP:127.0.0.1`. */
  issue(name: string, ...others: readonly string[]): KeyPair {
    this.#openssl('req', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(join(this.#dir, `${name}.ext`), `subjectAltName=${[`DNS:${name}`, ...others].join()}\n`);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1'];
    const files = ['-in', `${name}.csr`, '-extfile', `${name}.ext`, '-out', `${name}.pem`];
    execFileSync('openssl', ['x509', '-req', ...signing, ...files], { cwd: this.#dir, stdio: 'ignore' });
    return {
      cert: readFileSync(join(this.#dir, `${name}.pem`)),
      key: readFileSync(join(this.#dir, `${name}.key`)),
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true });
  }

  #openssl(command: string, ...args: string[]): void {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    execFileSync('openssl', [command, ...key, ...args], { cwd: this.#dir, stdio: 'ignore' });
  }
}
