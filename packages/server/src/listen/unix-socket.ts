import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  type Stats,
} from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, resolve as absolute } from 'node:path';
import { errorCode, errorMessage } from '../error/error-code.js';
import { makeFolder } from '../base/files.js';
import { refuseUnsafeFolder } from './safe-folder.js';

/** Its owner and group may enter. A folder that exists is not changed. */
const DIRECTORY_MODE = 0o750;
/** Its owner and group may connect. */
const SOCKET_MODE = 0o660;
/** Until its group is set, nobody may connect. */
const MADE_WITH_UMASK = 0o777;

/** UnixSocket is a socket that the daemon listens on. */
export interface UnixSocket {
  /** Its group. */
  readonly gid: number;
  /** Removes the socket from its folder, if it is still this one. */
  remove(): void;
}

/**
 * listenOnUnixSocket creates a socket under another name and moves it to its path. So no client ever finds one with wider
 * rights, or one that nobody listens on. It replaces a stale socket. Of several daemons that start at the same time, one listens.
 *
 * @param group - the group of the socket, and of the folders that are created for it; null for the daemon's own
 * @throws Error if another process listens there, if the path is not a socket, or if another user may replace it.
 */
export async function listenOnUnixSocket(
  server: Server,
  path: string,
  group: number | null,
): Promise<UnixSocket> {
  makeDirectory(dirname(path), group);
  refuseUnsafeFolder(dirname(path));
  const stale = await findStale(path);
  const beside = `${path}.${process.pid}`;
  rmSync(beside, { force: true });
  await bind(server, beside);
  if (group !== null) changeGroup(beside, group);
  chmodSync(beside, SOCKET_MODE);
  const { dev, ino, gid } = lstatSync(beside);
  if (stale !== null) removeStale(path, stale);
  publish(beside, path);
  return {
    gid,
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

/** Returns the socket at a path if nobody listens on it, and null if there is none. @throws Error if there is anything else. */
async function findStale(path: string): Promise<Stats | null> {
  const stat = statOf(path);
  if (stat === undefined) return null;
  if (!stat.isSocket()) throw new Error(`${path} exists and is not a socket`);
  if (await isServed(path)) throw anotherListens(path);
  return stat;
}

/** Removes a stale socket. It is moved first, because another daemon may have replaced it since it was found. */
function removeStale(path: string, stale: Stats): void {
  const moved = `${path}.${process.pid}.old`;
  try {
    renameSync(path, moved);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const { dev, ino } = lstatSync(moved);
  const isOther = dev !== stale.dev || ino !== stale.ino;
  if (isOther) publish(moved, path);
  else unlinkSync(moved);
  if (isOther) throw anotherListens(path);
}

/** Moves a socket to its path. A link, unlike a renaming, never replaces the socket of another daemon. */
function publish(beside: string, path: string): void {
  try {
    linkSync(beside, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw anotherListens(path);
    throw error;
  } finally {
    unlinkSync(beside);
  }
}

function anotherListens(path: string): Error {
  return new Error(`another process listens on ${path}`);
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
