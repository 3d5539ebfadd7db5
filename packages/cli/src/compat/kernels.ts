import { existsSync } from 'node:fs';
import { usageError } from '../error/cli-error.js';
import type { CompatOptions } from '../grammar/compat.js';
import { counted } from '../output/numbers.js';
import type { Session } from '../session/session.js';
import {
  formatObjectRef,
  type ObjectRef,
  parseSpecRef,
  type SpecRef,
  STANDARD_INPUT,
  SYSFS,
} from '../source/spec-ref.js';
import { DaemonKernel } from './daemon-kernel.js';
import { FileKernel } from './file-kernel.js';
import type { CompatKernel } from './kernel.js';
import { runningVersion } from './running-version.js';

/**
 * kernelsOf returns the kernels of `--on`, with the modules and versions of the options.
 *
 * @throws CliError USAGE for an invalid SPEC, a module, and versions that do not match the kernels in files.
 */
export async function kernelsOf(
  session: Session,
  { on = ['vmlinux'], modules: names, kernelVersion = [] }: CompatOptions,
): Promise<CompatKernel[]> {
  const refs = on.map((spec) => ({ spec, ref: parseSpecRef(spec) }));
  const versions = versionsOf(
    refs.flatMap(({ ref }) => (ref.kind === 'file' ? [ref] : [])),
    kernelVersion,
  );
  const { interrupted } = session;
  const modules = names?.[0] === 'none' ? [] : (names ?? null);
  const local = refs.some(({ ref }) => isOwn(ref)) ? await session.localKernel() : null;
  return refs.map(({ spec, ref }) => {
    if (isOwn(ref) && local !== null) {
      return new FileKernel(spec, SYSFS, { modules, version: runningVersion(), interrupted });
    }
    if (ref.kind === 'object') {
      return new DaemonKernel(spec, {
        connect: () => session.client(ref.node),
        spec: async () => (await session.source(ref)).spec(),
        id: idOf(spec, ref.object),
        modules,
        interrupted,
        timeout: session.options.timeout,
      });
    }
    if (ref.path === STANDARD_INPUT) session.takeInput();
    const version = versions.get(ref) ?? null;
    return new FileKernel(spec, ref.path, { modules, version, interrupted });
  });
}

/** Whether a SPEC is the kernel of the node of the command. */
function isOwn(ref: SpecRef): boolean {
  return ref.kind === 'object' && ref.node === null && idOf(formatObjectRef(ref), ref.object) === null;
}

/** Returns the versions of the kernels in files: one for all of them, or one for each. */
function versionsOf(files: readonly SpecRef[], versions: readonly number[]): ReadonlyMap<SpecRef, number> {
  const [first] = versions;
  if (first === undefined) return new Map();
  if (files.length === 0) {
    throw usageError('--kernel-version is for kernels in files: a daemon knows the version of its kernel');
  }
  if (versions.length > 1 && versions.length !== files.length) {
    throw usageError(
      `there are ${versions.length} --kernel-version, but ${counted(files.length, 'kernel')} in files`,
      'give one version for all of them, or one for each in the same order',
    );
  }
  return new Map(files.map((file, at) => [file, versions[at] ?? first]));
}

/** Returns the BTF id of a kernel; null for the one that a daemon runs on. */
function idOf(spec: string, object: ObjectRef): number | null {
  if (object.kind === 'id') return object.id;
  if (object.name === 'vmlinux') return null;
  const hint = existsSync(spec)
    ? `for the file or folder, use --on ./${spec}`
    : 'use vmlinux, @NODE, id:ID, or the path of a file or a folder';
  throw usageError(`${spec} is not a kernel`, hint);
}
