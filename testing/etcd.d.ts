/** EtcdClientPair is the certificate of a client with its key, in PEM, and their files. */
export interface EtcdClientPair {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly certFile: string;
  readonly keyFile: string;
}

/** EtcdStart are the options of `Etcd.start`. */
export interface EtcdStart {
  /** The number of members. Default: 1. */
  readonly members?: number;
  /** Whether clients must use TLS and have a certificate, whose common name is their user. Default: false. */
  readonly tls?: boolean;
  /** Other arguments of each member. */
  readonly flags?: readonly string[];
}

/** EtcdMember is the process of one member. */
export interface EtcdMember {
  /** Its address. */
  readonly client: string;
  /** Starts it again, with its data. */
  start(): void;
  /** Stops it with SIGSTOP: it keeps its connections, and does not respond. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
}

/** Etcd is a real etcd on loopback. Disposing of it ends it and removes its data. */
export class Etcd implements AsyncDisposable {
  private constructor();
  /** Starts it, and waits until it is healthy. */
  static start(options?: EtcdStart): Promise<Etcd>;
  readonly hosts: readonly string[];
  readonly members: readonly EtcdMember[];
  /** The certificate of the authority, with `tls`. */
  readonly ca: Buffer;
  /** Issues the certificate of a client, with `tls`. @param name its common name. */
  issueClient(name: string): EtcdClientPair;
  /** Runs `etcdctl` with arguments, with `tls` as the user `root`. Returns its output. @throws Error if it fails. */
  ctl(...args: readonly string[]): Promise<string>;
  /** Runs `etcdctl` with an input, which is the value for `put KEY`, and the transaction for `txn`. */
  ctlWith(input: string, ...args: readonly string[]): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}
