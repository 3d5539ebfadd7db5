import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parse } from 'yaml';

const MODELS = { ConfigMap, DaemonSet, Namespace, NetworkPolicy, Secret, Service, ServiceAccount };

/** Manifest is an object for the Kubernetes API, read from a file. */
export interface Manifest {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** readManifest reads a file with one object and returns the object. */
export function readManifest(path: string): Manifest & Record<string, unknown> {
  return parse(readFileSync(path, 'utf8')) as Manifest & Record<string, unknown>;
}

/**
 * checkManifest checks an object against the schema of the API.
 *
 * @throws Error that names each field that is missing or of the wrong type.
 */
export function checkManifest(manifest: Manifest): void {
  const Model = Object.entries(MODELS).find(([kind]) => kind === manifest.kind)?.[1];
  if (Model === undefined) throw new Error(`no schema for kind ${manifest.kind}`);
  const model = new Model(manifest);
  if (model.apiVersion !== manifest.apiVersion) throw new Error(`${manifest.kind} has ${model.apiVersion}`);
  model.validate();
}

/** apiFieldNames returns the names of all fields in the API. The schemas allow other fields, which the API ignores. */
export function apiFieldNames(): Set<string> {
  const root = dirname(createRequire(import.meta.url).resolve('kubernetes-models/package.json'));
  const models = dirname(
    createRequire(join(root, 'index.js')).resolve('@kubernetes-models/apimachinery/package.json'),
  );
  const folders = ['v1', 'apps/v1', 'networking.k8s.io/v1'].map((each) => join(root, each));
  folders.push(join(models, 'apis/meta/v1'));
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.d.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  return new Set(
    files.flatMap((text) => [...text.matchAll(/^ +"(\w+)"\??:/gm)].map(([, name]) => name ?? '')),
  );
}
