import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { JsonObject } from '@bufbuild/protobuf';
import type { BtfService } from '@btfd/api';

const PROGRAM = fileURLToPath(new URL('../../dist/testing/caller-program.js', import.meta.url));

/** Identity is the user and the groups of a process. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** CallOf is an RPC and its request as ProtoJSON. `health` checks the health of the server. */
export type CallOf = readonly [name: keyof typeof BtfService.method | 'health', request: JsonObject];

/** Outcome is the result of a call: its responses as ProtoJSON, or its error. */
export interface Outcome {
  readonly answers?: readonly unknown[];
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
}

/** callAs makes calls in a process of another user, and returns their outcomes. Needs root. */
export async function callAs(address: string, who: Identity, calls: readonly CallOf[]): Promise<Outcome[]> {
  const args = [PROGRAM, address, JSON.stringify(who), JSON.stringify(calls)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    timeout: 120_000,
    maxBuffer: 1 << 26,
  });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): Outcome => JSON.parse(line));
}
