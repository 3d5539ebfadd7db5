import { readFileSync } from 'node:fs';
import type { IDaemonSet } from 'kubernetes-models/apps/v1/DaemonSet';
import type { IContainer } from 'kubernetes-models/v1/Container';

/** ImageConfig is the part of an image's configuration that a runtime reads. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Env: readonly string[];
}

/** PodSurroundings are what a node adds to a manifest. */
export interface PodSurroundings {
  readonly image: ImageConfig;
  /** The folder of the image's files. */
  readonly root: string;
  /** The folder of each volume. */
  readonly volumes: ReadonlyMap<string, string>;
  readonly nodeName: string;
}

/** The profile that Podman and Buildah apply by default, from their Debian package. */
const SECCOMP_PROFILE = '/usr/share/containers/seccomp.json';

/** The paths in /proc and /sys that containerd and Docker hide or make read-only in each container. */
const MASKED = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
];
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/**
 * ociConfig returns the configuration with which a runtime such as runc starts the first container of a DaemonSet, as
 * a container engine makes it from the manifest. Limits of memory are left out.
 */
export function ociConfig(set: IDaemonSet, { image, root, volumes, nodeName }: PodSurroundings) {
  const pod = set.spec?.template.spec;
  const container = pod?.containers[0];
  if (pod === undefined || container === undefined) throw new Error('the DaemonSet has no container');
  const own = container.securityContext;
  const capabilities = capabilitiesOf(container);
  const fsGroup = pod.securityContext?.fsGroup;
  return {
    ociVersion: '1.0.0',
    process: {
      user: {
        uid: pod.securityContext?.runAsUser,
        gid: pod.securityContext?.runAsGroup,
        additionalGids: fsGroup === undefined ? [] : [fsGroup],
      },
      args: [...image.Entrypoint, ...(container.args ?? [])],
      env: [...image.Env, ...(container.env ?? []).map(({ name, value }) => `${name}=${value ?? nodeName}`)],
      cwd: '/',
      // Only the bound, as Docker does it for a process that is not root. Other runtimes give more sets.
      capabilities: { bounding: capabilities },
      noNewPrivileges: own?.allowPrivilegeEscalation === false,
    },
    root: { path: root, readonly: own?.readOnlyRootFilesystem === true },
    hostname: 'pod',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      ...(container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
        destination: mountPath,
        type: 'bind',
        source: volumes.get(name),
        options: ['rbind', readOnly === true ? 'ro' : 'rw'],
      })),
    ],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
      ...(pod.securityContext?.seccompProfile?.type === 'RuntimeDefault'
        ? { seccomp: seccompFor(capabilities) }
        : {}),
    },
  };
}

/** Returns the capabilities of a container that drops all others. */
function capabilitiesOf({ securityContext }: IContainer): string[] {
  const { drop = [], add = [] } = securityContext?.capabilities ?? {};
  if (drop.join() !== 'ALL')
    throw new Error('the container has capabilities that its manifest does not name');
  return add.map((name) => `CAP_${name}`);
}

interface Condition {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
}

interface Profile {
  readonly syscalls: readonly {
    readonly includes?: Condition;
    readonly excludes?: Condition;
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly unknown[];
  }[];
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
}

/** Returns the rules of the profile that apply to a container with some capabilities. */
function seccompFor(capabilities: readonly string[]): object {
  const { defaultAction, defaultErrnoRet, syscalls }: Profile = JSON.parse(
    readFileSync(SECCOMP_PROFILE, 'utf8'),
  );
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return {
    defaultAction,
    defaultErrnoRet,
    architectures: [arch === 'amd64' ? 'SCMP_ARCH_X86_64' : 'SCMP_ARCH_AARCH64'],
    syscalls: syscalls
      .filter(({ includes = {}, excludes = {} }) => {
        const isFor = includes.caps === undefined || includes.caps.every((cap) => capabilities.includes(cap));
        const isNot = excludes.caps?.some((cap) => capabilities.includes(cap)) === true;
        const isHere = includes.arches?.includes(arch) !== false && excludes.arches?.includes(arch) !== true;
        return isFor && !isNot && isHere;
      })
      .map(({ names, action, errnoRet, args }) => ({ names, action, errnoRet, args })),
  };
}
