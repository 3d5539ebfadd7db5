import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** SliceFields are the fields of an EndpointSlice. */
export type SliceFields = Readonly<Record<string, unknown>>;

/** Fault responds to one request, or does not. If it returns `continue`, the request is served after it. */
export type Fault = (response: ServerResponse) => Promise<'continue' | void> | 'continue' | void;

/** KubernetesApiOptions are the options of `KubernetesApi.start`. */
export interface KubernetesApiOptions {
  readonly slices?: readonly SliceFields[];
  /** The token that a request needs, unless it has a client certificate. Default: none is needed. */
  readonly token?: string;
  /** The files of TLS in PEM. With `ca`, clients may have a certificate of that authority. Default: no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

/** KubernetesApi stands for the API server of Kubernetes: it lists EndpointSlices over loopback. */
export class KubernetesApi implements AsyncDisposable {
  /** The slices of all namespaces. */
  slices: SliceFields[];
  /** The requests until now. */
  readonly requests: readonly {
    readonly path: string;
    readonly query: URLSearchParams;
    readonly headers: IncomingHttpHeaders;
  }[];
  /** The faults of the next requests, one for each. */
  faults: Fault[];
  readonly port: number;
  static start(options?: KubernetesApiOptions): Promise<KubernetesApi>;
  /** Waits until no client has a connection. */
  closed(): Promise<void>;
  /** Makes the lists in progress too old for their next page. */
  expire(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** endpointSlice returns a slice of the Service btfd in the namespace btfd. */
export function endpointSlice(name: string, fields: SliceFields): SliceFields;

/** endpoint returns the endpoint of a pod of the daemon on a node. */
export function endpoint(nodeName: string, address: string, fields?: SliceFields): SliceFields;

/** sendStatus responds as the API server responds to a request that fails. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  headers?: Readonly<Record<string, string>>,
): void;

/** send responds with JSON. */
export function send(
  response: ServerResponse,
  code: number,
  body: unknown,
  headers?: Readonly<Record<string, string>>,
): void;

/** kubeconfigOf returns the text of a kubeconfig with one context, `test`. */
export function kubeconfigOf(options: {
  readonly server: string;
  /** More fields of the cluster. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  /** The fields of the user. */
  readonly user?: Readonly<Record<string, unknown>>;
}): string;
