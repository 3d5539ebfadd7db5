import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IDaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { type ImageConfig, ociConfig } from './oci-config.js';
import { until } from './until.js';

/** PodOptions say what a pod consists of. */
export interface PodOptions {
  readonly set: IDaemonSet;
  readonly image: ImageConfig;
  /** The folder of the image's files. */
  readonly root: string;
  /** The files of each ConfigMap and Secret. */
  readonly objects: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly nodeName: string;
}

/** Pod is the first container of a DaemonSet, which runc runs with the rights that the manifest gives. */
export class Pod implements AsyncDisposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'btfd-pod-'));
  readonly #id = this.#dir.slice(-6);
  readonly #child: ChildProcess;
  #log = '';

  private constructor({ set, image, root, objects, nodeName }: PodOptions) {
    const volumes = writeVolumes(set, objects, join(this.#dir, 'volumes'));
    writeFileSync(
      join(this.#dir, 'config.json'),
      JSON.stringify(ociConfig(set, { image, root, volumes, nodeName })),
    );
    const args = [...this.#runc, 'run', '--bundle', this.#dir, this.#id];
    this.#child = spawn('runc', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const output of [this.#child.stdout, this.#child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
  }

  /** Starts a pod and waits until its daemon listens. @throws Error with its log if it ends. */
  static async start(options: PodOptions): Promise<Pod> {
    const pod = new Pod(options);
    try {
      await until('the daemon listens', () => {
        if (pod.#child.exitCode !== null) throw new Error(`ended with ${pod.#child.exitCode}: ${pod.#log}`);
        return pod.#log.includes('"msg":"listening"');
      });
    } catch (error) {
      await pod[Symbol.asyncDispose]();
      throw error;
    }
    return pod;
  }

  /** Without control groups, which this machine may not let others make. */
  get #runc(): string[] {
    return ['--root', join(this.#dir, 'state')];
  }

  /** The log until now. */
  get log(): string {
    return this.#log;
  }

  /** The process of the daemon. */
  get pid(): number {
    const state: { pid: number } = JSON.parse(
      execFileSync('runc', [...this.#runc, 'state', this.#id], { encoding: 'utf8' }),
    );
    return state.pid;
  }

  /** A command that runs another one with the network of the pod, and the files of this machine. */
  get network(): string[] {
    return ['nsenter', '--net', '--target', String(this.pid)];
  }

  /** Ends the pod as Kubernetes does, with SIGTERM. Returns the exit status of the daemon. */
  async end(): Promise<number | null> {
    const exited = once(this.#child, 'exit');
    execFileSync('runc', [...this.#runc, 'kill', this.#id, 'SIGTERM']);
    await exited;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      execFileSync('runc', [...this.#runc, 'kill', this.#id, 'SIGKILL']);
      await exited;
    }
    rmSync(this.#dir, { recursive: true });
  }
}

/** Writes the volumes as the kubelet does. Returns the folder of each. */
function writeVolumes(set: IDaemonSet, objects: PodOptions['objects'], dir: string): Map<string, string> {
  const { volumes = [], securityContext } = set.spec?.template.spec ?? {};
  return new Map(
    volumes.map(({ name, configMap, secret }) => {
      const files = objects.get(configMap?.name ?? secret?.secretName ?? '');
      if (files === undefined) throw new Error(`there is no object for the volume ${name}`);
      const mode = configMap?.defaultMode ?? secret?.defaultMode ?? 0o644;
      const folder = join(dir, name);
      // The files are links into a folder that is replaced as a whole.
      mkdirSync(join(folder, '..first'), { recursive: true });
      symlinkSync('..first', join(folder, '..data'));
      for (const [file, text] of Object.entries(files)) {
        const path = join(folder, '..first', file);
        writeFileSync(path, text);
        chownSync(path, 0, securityContext?.fsGroup ?? 0);
        chmodSync(path, mode);
        symlinkSync(`..data/${file}`, join(folder, file));
      }
      return [name, folder];
    }),
  );
}
