import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Certificate } from '@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate';
import { Issuer } from '@kubernetes-models/cert-manager/cert-manager.io/v1/Issuer';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { DaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { Role } from 'kubernetes-models/rbac.authorization.k8s.io/v1/Role';
import { RoleBinding } from 'kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding';
import { PriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1/PriorityClass';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Namespace } from 'kubernetes-models/v1/Namespace';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parse, parseAllDocuments } from 'yaml';

const MODELS = {
  Certificate,
  ConfigMap,
  DaemonSet,
  Issuer,
  Job,
  Namespace,
  NetworkPolicy,
  PriorityClass,
  PrometheusRule,
  Role,
  RoleBinding,
  Secret,
  Service,
  ServiceAccount,
  ServiceMonitor,
};

/** Manifest is an object for the Kubernetes API, read from a file. */
export interface Manifest {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

/** AnyManifest is a {@link Manifest} with its other fields. */
export type AnyManifest = Manifest & Record<string, unknown>;

/** KUBERNETES is the folder of the manifests. */
export const KUBERNETES = fileURLToPath(new URL('../../../../deploy/kubernetes', import.meta.url));

/** kubectl reads YAML 1.1, in which 0440 is octal. */
const KUBECTL_YAML = { version: '1.1' } as const;

/** rendered returns the objects that `kubectl apply -k` would apply for a folder, which may be relative to {@link KUBERNETES}. */
export function rendered(folder: string): readonly AnyManifest[] {
  const options = { encoding: 'utf8', maxBuffer: 1 << 24 } as const;
  return readManifests(execFileSync('kubectl', ['kustomize', resolve(KUBERNETES, folder)], options));
}

/** readManifest reads a file with one object and returns the object. */
export function readManifest(path: string): AnyManifest {
  return parse(readFileSync(path, 'utf8'), KUBECTL_YAML) as AnyManifest;
}

/** readManifests returns the objects of a text with several. */
export function readManifests(text: string): readonly AnyManifest[] {
  return parseAllDocuments(text, KUBECTL_YAML).map((document) => document.toJSON() as AnyManifest);
}

/**
 * checkManifest checks an object against the schema of the API.
 *
 * @throws Error that names each field that is missing or of the wrong type.
 */
export function checkManifest(manifest: Manifest): void {
  const Model = Object.entries(MODELS).find(([kind]) => kind === manifest.kind)?.[1];
  if (Model === undefined) throw new Error(`no schema for kind ${manifest.kind}`);
  const model = new Model();
  if (model.apiVersion !== manifest.apiVersion) throw new Error(`${manifest.kind} has ${model.apiVersion}`);
  Object.assign(model, manifest).validate();
}

/** One module of each folder that describes the objects of an operator. */
const OPERATORS = [
  '@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate',
  '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor',
];
const MODULES = createRequire(import.meta.url);

/** apiFieldNames returns the names of all fields in the API. The schemas allow other fields, which the API ignores. */
export function apiFieldNames(): Set<string> {
  const root = dirname(MODULES.resolve('kubernetes-models/package.json'));
  const models = dirname(
    createRequire(join(root, 'index.js')).resolve('@kubernetes-models/apimachinery/package.json'),
  );
  const folders = [
    'v1',
    'apps/v1',
    'batch/v1',
    'networking.k8s.io/v1',
    'rbac.authorization.k8s.io/v1',
    'scheduling.k8s.io/v1',
  ].map((each) => join(root, each));
  folders.push(join(models, 'apis/meta/v1'), ...OPERATORS.map((each) => dirname(MODULES.resolve(each))));
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.d.ts'))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  );
  return new Set(
    files.flatMap((text) => [...text.matchAll(/^ +"(\w+)"\??:/gm)].map(([, name]) => name ?? '')),
  );
}
