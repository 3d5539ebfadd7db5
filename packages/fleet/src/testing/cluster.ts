import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubernetesApi, type KubernetesApiOptions, kubeconfigOf } from 'test-tools/kubernetes-api';
import { kubernetesNodes, type KubernetesNodesOptions } from '../kubernetes/kubernetes-nodes.js';
import type { FleetNode, NodeSource } from '../source/node-source.js';

const TOKEN = 'a-token';

/** Cluster is a server of the Kubernetes API, and a kubeconfig for it. */
export class Cluster implements AsyncDisposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'btfd-kube-'));
  readonly api: KubernetesApi;

  private constructor(api: KubernetesApi) {
    this.api = api;
    this.writeKubeconfig({ token: TOKEN });
  }

  static async start(slices: KubernetesApiOptions['slices'] = []): Promise<Cluster> {
    return new Cluster(await KubernetesApi.start({ slices, token: TOKEN }));
  }

  get kubeconfig(): string {
    return join(this.#dir, 'config');
  }

  get server(): string {
    return `http://127.0.0.1:${this.api.port}`;
  }

  /** Writes a kubeconfig with other credentials, or for another server. */
  writeKubeconfig(user: Readonly<Record<string, unknown>>, server = this.server): void {
    // client-node demands the flag if there is no TLS.
    const cluster = { 'insecure-skip-tls-verify': true };
    writeFileSync(this.kubeconfig, kubeconfigOf({ server, cluster, user }));
  }

  source(options: Partial<KubernetesNodesOptions> = {}): NodeSource {
    return kubernetesNodes({
      namespace: 'btfd',
      service: 'btfd',
      kubeconfig: this.kubeconfig,
      ...options,
    });
  }

  async list(options: Partial<KubernetesNodesOptions> = {}): Promise<readonly FleetNode[]> {
    return this.source(options).list();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
    rmSync(this.#dir, { recursive: true });
  }
}
