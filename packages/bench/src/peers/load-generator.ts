import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { programPath } from './programs.js';

/** CallerOptions are the options of a run of the load generator. */
export interface CallerOptions {
  readonly scenario: 'unary' | 'stream' | 'get-close' | 'load-close' | 'task' | 'connect';
  readonly requests: number;
  /** Calls at once. Default: 1. */
  readonly inFlight?: number;
  /** Default: 1. */
  readonly connections?: number;
  /** For `unary`, `stream` and `connect`: the path of the method and the encoded request. */
  readonly call?: { readonly path: string; readonly request: Buffer };
  /** For `get-close`: the BTF id. */
  readonly id?: number;
  /** For `load-close` and `task`: raw BTF. */
  readonly file?: string;
  /** The flow control window in bytes. Default: that of Go's gRPC. */
  readonly window?: number;
}

/** CallerResult is what the load generator measured. */
export interface CallerResult {
  readonly calls: number;
  readonly messages: number;
  readonly bytes: number;
  readonly wallUs: number;
  /** The CPU time of the load generator. */
  readonly cpuUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** The median of all connections. */
  readonly firstAnswerUs: number;
  /** The last of all connections. */
  readonly lastFirstAnswerUs: number;
}

const run = promisify(execFile);

/**
 * generateLoad makes calls with the client in Go, which costs less than any of the servers.
 *
 * @throws Error with its message if a call fails.
 * @throws MissingPeerError if it was not built.
 */
export async function generateLoad(address: string, options: CallerOptions): Promise<CallerResult> {
  const { scenario, requests, inFlight = 1, connections = 1, call, id, file, window } = options;
  const args = [
    ['--address', address],
    ['--scenario', scenario],
    ['--requests', requests],
    ['--in-flight', inFlight],
    ['--connections', connections],
    call === undefined ? [] : ['--method', call.path, '--request-hex', call.request.toString('hex')],
    id === undefined ? [] : ['--id', id],
    file === undefined ? [] : ['--file', file],
    window === undefined ? [] : ['--window', window],
  ].flat();
  const { stdout } = await run(programPath('go-caller'), args.map(String));
  const result: CallerResult = JSON.parse(stdout);
  return result;
}
