import http, { type IncomingMessage } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { BtfError, status } from '@btfd/client';
import { orAborted } from '../base/bounded.js';
import { oneLine } from '../base/one-line.js';
import { unusable } from './kube-config.js';

/** 32 MiB: some 60,000 endpoints, more than six times the largest fleet. */
export const MAX_BODY = 32 * 1024 * 1024;

/** ApiResponse is a response of the API server, read to its end. */
export interface ApiResponse {
  readonly status: number;
  /** The header Retry-After in milliseconds; null if there is none in seconds. */
  readonly retryAfter: number | null;
  readonly body: string;
}

/**
 * ApiServer makes requests to the API server of a cluster. The kubeconfig has its address and the credentials; client-node
 * reads the tokens and certificates, and runs the plugins. The requests are our own, because those of client-node
 * read a response of any size and hide its headers.
 */
export class ApiServer {
  readonly #config: KubeConfig;
  readonly #base: URL;
  readonly #context: string;

  /** @throws BtfError FAILED_PRECONDITION if the address is not a URL. */
  constructor(config: KubeConfig) {
    this.#config = config;
    this.#context = oneLine(config.getCurrentContext());
    const server = config.getCurrentCluster()?.server ?? '';
    if (!URL.canParse(server)) {
      throw unusable(`the server "${oneLine(server)}" of the context "${this.#context}" is not a URL`);
    }
    this.#base = new URL(server);
  }

  /** The server and the context in words, for messages. */
  get description(): string {
    return `the API server ${this.#base.origin} (context "${this.#context}")`;
  }

  /**
   * get makes one request, with a connection of its own.
   *
   * @param path the path below the server's own, with a query.
   * @throws BtfError FAILED_PRECONDITION if the credentials cannot be read.
   * @throws BtfError UNAVAILABLE if there is no connection, and if it breaks.
   * @throws BtfError INVALID_RESPONSE if the response is larger than 32 MiB.
   * @throws the reason of the signal if it aborts.
   */
  async get(path: string, signal: AbortSignal): Promise<ApiResponse> {
    const options: RequestOptions = { headers: { accept: 'application/json', 'user-agent': 'btfd-fleet' } };
    try {
      await orAborted(this.#config.applyToHTTPSOptions(options), signal);
    } catch (error) {
      signal.throwIfAborted();
      throw unusable(`cannot use the credentials of the context "${this.#context}"`, error);
    }
    const url = new URL(`${this.#base.pathname.replace(/\/$/, '')}${path}`, this.#base);
    try {
      const response = await responseOf(url, { ...options, signal });
      const seconds = /^\d{1,9}$/.exec(response.headers['retry-after'] ?? '')?.[0];
      return {
        status: response.statusCode ?? 0,
        retryAfter: seconds === undefined ? null : Number(seconds) * 1_000,
        body: await this.#bodyOf(response),
      };
    } catch (error) {
      signal.throwIfAborted();
      if (BtfError.isBtfError(error)) throw error;
      const message = `${this.description} cannot be reached: ${oneLine(error) || codeOf(error)}`;
      throw new BtfError({ code: status.UNAVAILABLE, reason: null, message, cause: error });
    }
  }

  async #bodyOf(response: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of response) {
      if (!Buffer.isBuffer(part)) continue;
      parts.push(part);
      size += part.length;
      if (size > MAX_BODY) throw this.invalid(`has more than ${MAX_BODY} bytes`);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  /** invalid returns the error for a response that is not one of this API. */
  invalid(problem: string): BtfError {
    const message = `the response of ${this.description} ${problem}`;
    return new BtfError({ code: status.INTERNAL, reason: 'INVALID_RESPONSE', message });
  }
}

async function responseOf(url: URL, options: RequestOptions): Promise<IncomingMessage> {
  const { request } = url.protocol === 'http:' ? http : https;
  return new Promise((resolve, reject) => {
    request(url, options).on('response', resolve).on('error', reject).end();
  });
}

/** Several addresses that all refuse are an error without a message. */
function codeOf(error: unknown): string {
  return oneLine(Object(error).code);
}
