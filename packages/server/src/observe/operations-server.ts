import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isLoopbackIp, type TcpAddress } from '../base/address.js';
import { NewestSockets } from '../listen/newest-sockets.js';
import { SharedRuns } from '../base/shared-runs.js';

/** Operations are what operators can request over HTTP. */
export interface Operations {
  /** Returns every metric as text. Requests that arrive while it is made share it. */
  metrics(): Promise<string>;
  readonly metricsType: string;
  /** Returns why the daemon accepts no calls now; null if it accepts them. */
  notReady(): string | null;
  /** Returns what does not work on this machine although the daemon accepts calls; null if everything works. */
  limits(): string | null;
}

/**
 * MAX_METRICS_CONNECTIONS is enough for a scraper, a probe and a few people. A further connection closes the oldest, so
 * that nobody can keep a probe out.
 */
export const MAX_METRICS_CONNECTIONS = 32;
const MAX_HEADER_BYTES = 8192;
/** The time in which a request must arrive. */
const REQUEST_MS = 5_000;
/** Shorter than most intervals between scrapes: a longer time would only keep idle sockets. */
const IDLE_MS = 5_000;

/** Not imported: an import reads every export, and since Node 22 one of `node:http` loads a whole client, a tenth of a start. */
const { createServer } = process.getBuiltinModule('node:http');

/** OperationsServer serves `/metrics`, `/healthz` and `/readyz` over HTTP. */
export class OperationsServer {
  readonly #server: Server;
  private constructor(
    server: Server,
    /** The address that it listens on, with the actual port instead of port 0. */
    readonly address: TcpAddress,
    /** Whether other machines can connect. */
    readonly isPublic: boolean,
  ) {
    this.#server = server;
  }

  /**
   * Starts to listen.
   *
   * @throws Error if it cannot.
   */
  static async open(address: TcpAddress, operations: Operations): Promise<OperationsServer> {
    // Anybody may request metrics, and each text takes milliseconds of the event loop.
    const texts = new SharedRuns(async () => operations.metrics());
    const served: Operations = {
      metrics: async () => texts.next(),
      metricsType: operations.metricsType,
      notReady: () => operations.notReady(),
      limits: () => operations.limits(),
    };
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: REQUEST_MS,
        requestTimeout: REQUEST_MS,
        keepAliveTimeout: IDLE_MS,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => void respond(request, response, served),
    );
    const connections = new NewestSockets(MAX_METRICS_CONNECTIONS);
    server.on('connection', (socket) => connections.add(socket));
    // Ends connections whose client does not read its response. `requestTimeout` applies only to requests.
    server.setTimeout(2 * REQUEST_MS, (socket) => socket.destroy());
    await once(server.listen(address.port, address.host), 'listening');
    // Failing to accept a connection, for example for lack of file descriptors, must not end the daemon.
    server.on('error', () => {});
    const bound = server.address();
    if (typeof bound !== 'object' || bound === null) throw new Error('the address of metrics is not TCP');
    return new OperationsServer(server, { ...address, port: bound.port }, !isLoopbackIp(bound.address));
  }

  /** Stops listening, and closes the open connections. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  operations: Operations,
): Promise<void> {
  const { method = '', url = '' } = request;
  const [path] = url.split('?', 1);
  if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
    send(response, 404, 'not found: use /metrics, /healthz or /readyz\n');
  } else if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, 405, 'only GET and HEAD are allowed\n');
  } else if (path === '/metrics') {
    try {
      send(response, 200, await operations.metrics(), operations.metricsType);
    } catch {
      send(response, 500, 'cannot read the metrics\n');
    }
  } else if (path === '/readyz') {
    const reason = operations.notReady();
    const limits = operations.limits();
    if (reason !== null) send(response, 503, `not ready: ${reason}\n`);
    else send(response, 200, limits === null ? 'ready\n' : `ready, but ${limits}\n`);
  } else {
    // A response shows that the event loop runs.
    send(response, 200, 'alive\n');
  }
}

function send(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  // Node sends no body to HEAD.
  response.end(text);
}
