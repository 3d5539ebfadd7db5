import { createHash } from 'node:crypto';
import { type BtfClient, BtfError, type KernelDigests, type ServerInfo, status } from '@btfd/client';
import { Bounded } from '../base/bounded.js';
import { isNodeName } from '../source/check-nodes.js';
import { type AskLimits, serverInfoOf } from './server-info.js';

/** NodeBuild is the build of the kernel of one node. */
export interface NodeBuild {
  /** The SHA-256 of the BTF of vmlinux in hexadecimal; null if the kernel has no BTF. */
  readonly digest: string | null;
  /** The SHA-256 over the names and the BTF of the modules, in hexadecimal. */
  readonly modulesDigest: string;
  readonly moduleCount: number;
  /** The kernel's release, as `uname -r`. */
  readonly release: string;
  /** The version of the kernel's build, as `uname -v`; empty if the daemon is too old to say it. */
  readonly version: string;
  /** The architecture, as `uname -m`. */
  readonly machine: string;
}

/** NodeInfo is the answer of a node to a survey. */
export interface NodeInfo {
  readonly build: NodeBuild;
  /** The name of the node by its daemon; empty if it says none. */
  readonly nodeName: string;
  readonly bootId: string;
  readonly daemonEpoch: string;
}

/** No kernel has as many modules. A daemon that lists more is broken or hostile. */
export const MAX_OBJECTS = 65_536;

/** The most names that a daemon looks for in one call. */
const MAX_GLOBS = 100;

/**
 * askNode asks a node for the build of its kernel, in one call if possible: calls are what a survey of many nodes costs.
 *
 * @param kept an answer that is returned if it is of the same run of the daemon.
 * @throws BtfError for every call, and UNIMPLEMENTED if the daemon cannot compute digests.
 */
export async function askNode(
  client: BtfClient,
  kept: NodeInfo | null,
  limits: AskLimits,
): Promise<NodeInfo> {
  // Daemons without an epoch do not say whether they are the same run.
  if (kept !== null && kept.daemonEpoch !== '') {
    const { bootId, daemonEpoch } = await serverInfoOf(client, [], limits);
    if (kept.bootId === bootId && kept.daemonEpoch === daemonEpoch) return kept;
  }
  const info = await serverInfoOf(client, ['digests'], limits);
  const digests = info.digests ?? (await listedDigests(client, limits));
  return infoOf(info, digests);
}

/** The longest text of utsname(2). */
const MAX_UTS = 64;
/** A boot id has 36 characters, and so has an epoch. */
const MAX_ID = 256;
/** A SHA-256 in hexadecimal. */
const DIGEST_LENGTH = 64;

/** A daemon may be a stranger, and what it says is kept for each of many nodes. @throws BtfError INVALID_RESPONSE for texts that are too long. */
function infoOf(info: ServerInfo, { kernel, modules, moduleCount }: KernelDigests): NodeInfo {
  const { kernelRelease, kernelVersion, machine, bootId, daemonEpoch } = info;
  for (const [field, text] of Object.entries({ kernelRelease, kernelVersion, machine }))
    if (text.length > MAX_UTS) throw badInfo(field, text, MAX_UTS);
  for (const [field, text] of Object.entries({ bootId, daemonEpoch }))
    if (text.length > MAX_ID) throw badInfo(field, text, MAX_ID);
  for (const [field, text] of Object.entries({ kernel, modules }))
    if (text !== null && text.length !== DIGEST_LENGTH)
      throw badInfo(`digest of ${field}`, text, DIGEST_LENGTH);
  // The name is optional.
  const nodeName = isNodeName(info.nodeName) ? info.nodeName : '';
  const build = {
    digest: kernel,
    modulesDigest: modules,
    moduleCount,
    release: kernelRelease,
    version: kernelVersion,
    machine,
  };
  return { build, nodeName, bootId, daemonEpoch };
}

/** Returns the digests of a daemon that is too old for them in its info, from the digests of its objects. */
async function listedDigests(client: BtfClient, limits: AskLimits): Promise<KernelDigests> {
  const digests = await objectDigests(client, ['vmlinux', 'module'], undefined, limits);
  const hash = createHash('sha256');
  const kernel = digests.get('vmlinux') ?? null;
  digests.delete('vmlinux');
  // As the contract defines modules_digest.
  for (const [name, digest] of [...digests].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0`).update(Buffer.from(digest, 'hex'));
  }
  return { kernel, modules: hash.digest('hex'), moduleCount: digests.size };
}

/**
 * objectDigests returns the digests of objects of the kernel by name.
 *
 * @param names the names; undefined for all.
 * @throws BtfError UNIMPLEMENTED if the daemon cannot compute them, and INVALID_RESPONSE for more than 65,536 objects.
 */
export async function objectDigests(
  client: BtfClient,
  origins: readonly ('vmlinux' | 'module')[],
  names: readonly string[] | undefined,
  { timeout, signal }: Pick<AskLimits, 'timeout' | 'signal'>,
): Promise<Map<string, string>> {
  using bounded = new Bounded([signal], timeout);
  const digests = new Map<string, string>();
  try {
    for (const globs of inLists(names)) {
      const objects = await client.listObjects({
        origins,
        nameGlobs: globs,
        details: ['digest'],
        maxObjects: MAX_OBJECTS,
        signal: bounded.signal,
      });
      for (const { name, digest } of objects) {
        if (digest === null) throw withoutDigests();
        digests.set(name, digest);
      }
    }
    return digests;
  } catch (error) {
    if (bounded.timedOut) throw tooSlow(timeout);
    throw error;
  }
}

/** Cuts names into lists that one call accepts. */
function inLists(names: readonly string[] | undefined): (readonly string[] | undefined)[] {
  if (names === undefined) return [undefined];
  return Array.from({ length: Math.ceil(names.length / MAX_GLOBS) }, (_, index) =>
    names.slice(index * MAX_GLOBS, (index + 1) * MAX_GLOBS),
  );
}

function badInfo(field: string, text: string, most: number): BtfError {
  const message = `the daemon says a ${field} of ${text.length} characters instead of ${most}`;
  return new BtfError({ code: status.INTERNAL, reason: 'INVALID_RESPONSE', message });
}

function withoutDigests(): BtfError {
  const message = 'the daemon is too old to compute digests';
  return new BtfError({ code: status.UNIMPLEMENTED, reason: null, message });
}

function tooSlow(timeout: number): BtfError {
  const message = `the daemon did not list its objects within ${timeout} ms`;
  return new BtfError({ code: status.DEADLINE_EXCEEDED, reason: null, message });
}
