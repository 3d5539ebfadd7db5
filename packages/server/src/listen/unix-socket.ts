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
/** Time for other daemons that replace the same stale socket. */
const SETTLE_MS = 100;

/** UnixSocket is a socket that the daemon listens on. */
export interface UnixSocket {
  /** Removes the socket from its folder, if it is still this one. */
  remove(): void;
}

/**
 * listenOnUnixSocket creates a socket under another name and moves it to its path. So no client ever finds one with wider
 * rights, or one that nobody listens on. It replaces a stale socket. Of several daemons that start at the same time, one listens.
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
  const stale = await findStale(path);
  const beside = `${path}.${process.pid}`;
  rmSync(beside, { force: true });
  await bind(server, beside);
  if (group !== null) changeGroup(beside, group);
  chmodSync(beside, SOCKET_MODE);
  const own = lstatSync(beside);
  onBound(own.gid);
  if (stale !== null) removeStale(path, stale);
  publish(beside, path);
  if (stale !== null) {
    // Between its look at the socket and the removal, another daemon may have taken this one for the stale one.
    await setTimeout(SETTLE_MS);
    if (!isAt(path, own)) throw anotherListens(path);
  }
  return {
    remove() {
      if (isAt(path, own)) unlinkSync(path);
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

/**
 * Returns the socket at a path if nobody listens on it, and null if there is none.
 *
 * @throws Error if somebody listens, or if it is not a socket.
 */
async function findStale(path: string): Promise<Stats | null> {
  const stat = statOf(path);
  if (stat === undefined) return null;
  if (!stat.isSocket()) throw new Error(`${path} exists and is not a socket`);
  const answer = await connectTo(path);
  // Another daemon may have moved it away meanwhile.
  if (answer === 'ENOENT') return null;
  // Something that is too busy to accept also listens.
  if (answer !== 'ECONNREFUSED') throw anotherListens(path);
  return stat;
}

/** Removes a stale socket. It is moved first, because another daemon may have replaced it since it was found. */
function removeStale(path: string, stale: Stats): void {
  const moved = `${path}.${process.pid}.old`;
  const now = statOf(path);
  if (now !== undefined && !isSame(now, stale)) throw anotherListens(path);
  try {
    renameSync(path, moved);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if (isSame(lstatSync(moved), stale)) {
    unlinkSync(moved);
    return;
  }
  putBack(moved, path);
  throw anotherListens(path);
}

/** Moves the socket of another daemon back to its path, unless a third one has its socket there by now. */
function putBack(moved: string, path: string): void {
  try {
    publish(moved, path);
  } catch {
    // It may be of another user, to which this one may not make a link.
    if (statOf(path) === undefined) renameSync(moved, path);
    else unlinkSync(moved);
  }
}

/** Moves a socket to its path. A link, unlike a renaming, never replaces the socket of another daemon. */
function publish(beside: string, path: string): void {
  try {
    linkSync(beside, path);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw anotherListens(path);
    throw error;
  }
  unlinkSync(beside);
}

function isAt(path: string, socket: Stats): boolean {
  const stat = statOf(path);
  return stat !== undefined && isSame(stat, socket);
}

/** The time belongs to it, because a file system gives the number of a file that is gone to the next one. */
function isSame(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino && one.mtimeMs === other.mtimeMs;
}

function anotherListens(path: string): Error {
  return new Error(`another process listens on ${path}`);
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Returns the error code of a connection to a socket, and null if it was accepted. */
async function connectTo(path: string): Promise<string | null> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return null;
  } catch (error) {
    return errorCode(error) ?? '';
  } finally {
    socket.destroy();
  }
}
