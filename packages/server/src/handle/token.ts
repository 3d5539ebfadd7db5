import { randomBytes } from 'node:crypto';

/** 64 bits: runs of one daemon never meet. */
const EPOCH_BYTES = 8;
/** 128 bits: can't be guessed. */
const SECRET_BYTES = 16;

const TOKEN = /^(?<epoch>[0-9a-f]{16})\.[\w-]{22}$/;

/** newEpoch names a run of the daemon. */
export function newEpoch(): string {
  return randomBytes(EPOCH_BYTES).toString('hex');
}

/** newToken makes the token of a handle of a run. */
export function newToken(epoch: string): string {
  return `${epoch}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
}

/** epochOf tells the run that a token is of, or null where it has not the form of a token. */
export function epochOf(token: string): string | null {
  return TOKEN.exec(token)?.groups?.['epoch'] ?? null;
}
