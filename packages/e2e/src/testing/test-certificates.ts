import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { Authority, type CertificateRequest, type KeyPair } from '@btfd/server/certs';

const HOUR_MS = 3_600_000;

/** hours returns the time a number of hours from now. */
export function hours(count: number): Date {
  return new Date(Date.now() + count * HOUR_MS);
}

const VALID = { notBefore: hours(-1), notAfter: hours(1) };

/** TestCertificates are an authority, and the TLS files of a daemon whose certificate and clients are from it. */
export class TestCertificates implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'btfd-certs-'));
  readonly files = {
    ca: join(this.dir, 'ca.crt'),
    cert: join(this.dir, 'server.crt'),
    key: join(this.dir, 'server.key'),
  };

  readonly #authority: Authority;

  private constructor(authority: Authority) {
    this.#authority = authority;
  }

  static async make(): Promise<TestCertificates> {
    const self = new TestCertificates(await Authority.make('test authority', VALID));
    self.write(self.files.ca, self.#authority.pair.cert);
    self.writeServer(await self.issueServer());
    return self;
  }

  /** The certificate of the authority. */
  get ca(): string {
    return this.#authority.pair.cert;
  }

  /** The arguments of a daemon with these files on a free port. */
  get args(): string[] {
    const { ca, cert, key } = this.files;
    return ['--listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key, '--tls-client-ca', ca];
  }

  async issueServer(choices: Partial<CertificateRequest> = {}): Promise<KeyPair> {
    const names = ['localhost', '127.0.0.1'];
    return this.#authority.issue({ commonName: 'btfd', names, purpose: 'server', ...VALID, ...choices });
  }

  async issueClient(names: readonly string[], choices: Partial<CertificateRequest> = {}): Promise<KeyPair> {
    return this.#authority.issue({ commonName: 'client', names, purpose: 'client', ...VALID, ...choices });
  }

  /** Returns the credentials of a client whose certificate has these names. */
  async client(
    names: readonly string[],
    choices: Partial<CertificateRequest> = {},
  ): Promise<ChannelCredentials> {
    return this.credentialsOf(await this.issueClient(names, choices));
  }

  /** Returns credentials that trust this authority, with a key pair of any authority. */
  credentialsOf({ cert, key }: KeyPair): ChannelCredentials {
    return credentials.createSsl(Buffer.from(this.#authority.pair.cert), Buffer.from(key), Buffer.from(cert));
  }

  /** Returns credentials that trust this authority, without a client certificate. */
  withoutCertificate(): ChannelCredentials {
    return credentials.createSsl(Buffer.from(this.#authority.pair.cert));
  }

  /** Replaces the certificate and key of the daemon. */
  writeServer({ cert, key }: KeyPair): void {
    this.write(this.files.cert, cert);
    this.write(this.files.key, key);
  }

  /** Writes a file next to its path and renames it, so that the file changes at once. */
  write(file: string, content: string): void {
    // Keys that everybody may read are refused.
    writeFileSync(`${file}.new`, content, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true });
  }
}
