import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  type Stats,
} from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, resolve as absolute } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { errorCode, errorMessage } from '../error/error-code.js';
import { makeFolder } from '../base/files.js';
import { refuseUnsafeFolder } from './safe-folder.js';

/** Its owner and group may enter. A folder that exists is not changed. */
const DIRECTORY_MODE = 0o750;
/** Its owner and group may connect. */
const SOCKET_MODE = 0o660;
/** Until its group is set, nobody may connect. */
const MADE_WITH_UMASK = 0o777;

/** Longer than a start takes from the check for another daemon to the renaming. */
const SETTLE_MS = 100;

/** UnixSocket is a socket that the daemon listens on. */
export interface UnixSocket {
  /** Removes the socket from its folder, if it is still this one. */
  remove(): void;
}

/**
 * listenOnUnixSocket creates a socket under another name and renames it to its path. So no client ever finds one with wider
 * rights, or one that nobody listens on. It replaces a stale socket.
 *
 * @param group - the group of the socket, and of the folders that are created for it; null for the daemon's own
 * @param onBound - gets the socket's group before any client can connect
 * @throws Error if another process listens there, if the path is not a socket, or if another user may replace it.
 */
export async function listenOnUnixSocket(
  server: Server,
  path: string,
  group: number | null,
  onBound: (gid: number) => void = () => {},
): Promise<UnixSocket> {
  makeDirectory(dirname(path), group);
  refuseUnsafeFolder(dirname(path));
  await refuseLive(path);
  const beside = `${path}.${process.pid}`;
  rmSync(beside, { force: true });
  await bind(server, beside);
  if (group !== null) changeGroup(beside, group);
  chmodSync(beside, SOCKET_MODE);
  const { dev, ino, gid } = lstatSync(beside);
  onBound(gid);
  renameSync(beside, path);
  // If several daemons start at the same time and find no other, the last one to rename wins.
  await setTimeout(SETTLE_MS);
  if (statOf(path)?.ino !== ino) throw new Error(`another process listens on ${path}`);
  return {
    remove() {
      const stat = statOf(path);
      if (stat?.dev === dev && stat.ino === ino) unlinkSync(path);
    },
  };
}

/** Creates a folder and the missing ones above it. Existing ones are not changed. */
function makeDirectory(dir: string, group: number | null): void {
  const umask = process.umask(0o777 & ~DIRECTORY_MODE);
  let first: string | null;
  try {
    first = makeFolder(dir, DIRECTORY_MODE);
  } finally {
    process.umask(umask);
  }
  if (group === null || first === null) return;
  for (let made = absolute(dir); made.length >= first.length; made = dirname(made)) changeGroup(made, group);
}

function changeGroup(path: string, group: number): void {
  try {
    chownSync(path, statSync(path).uid, group);
  } catch (error) {
    const why = errorMessage(error);
    throw new Error(`cannot change the group of ${path} to ${group}: ${why}`, { cause: error });
  }
}

async function bind(server: Server, path: string): Promise<void> {
  const listening = once(server, 'listening');
  // Node binds a path before `listen` returns, so that nothing else sees this umask.
  const umask = process.umask(MADE_WITH_UMASK);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await listening;
}

async function refuseLive(path: string): Promise<void> {
  const stat = statOf(path);
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`${path} exists and is not a socket`);
  if (await isServed(path)) throw new Error(`another process listens on ${path}`);
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Reports whether something listens, which includes a socket that is too busy to accept. */
async function isServed(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    const code = errorCode(error);
    return code !== 'ECONNREFUSED' && code !== 'ENOENT';
  } finally {
    socket.destroy();
  }
}
