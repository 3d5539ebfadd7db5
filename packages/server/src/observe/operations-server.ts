import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { TcpAddress } from '../base/address.js';
import { NewestSockets } from '../listen/newest-sockets.js';
import { SharedRuns } from '../base/shared-runs.js';

/** Operations are what operators may ask over HTTP. */
export interface Operations {
  /** Every metric, and the type of that text. It is made for all who ask meanwhile. */
  metrics(): Promise<string>;
  readonly metricsType: string;
  /** Why the daemon takes no calls now, or null where it does. */
  notReady(): string | null;
}

/** A scraper, a probe, and a person or two; one more breaks the oldest, so that nobody keeps a probe out. */
const MAX_CONNECTIONS = 32;
const MAX_HEADER_BYTES = 8192;
/** For a request to arrive. */
const REQUEST_MS = 5_000;
/** Longer than between two scrapes of most would only keep idle sockets. */
const IDLE_MS = 5_000;

/** OperationsServer answers `/metrics`, `/healthz` and `/readyz` over HTTP. */
export class OperationsServer {
  readonly #server: Server;
  private constructor(
    server: Server,
    /** Where it listens, with the port that was chosen for port 0. */
    readonly address: TcpAddress,
  ) {
    this.#server = server;
  }

  /**
   * Starts to listen.
   *
   * @throws the error of the socket if it can't.
   */
  static async open(address: TcpAddress, operations: Operations): Promise<OperationsServer> {
    // Anybody may ask, and each text takes milliseconds of the event loop.
    const texts = new SharedRuns(async () => operations.metrics());
    const served: Operations = {
      metrics: async () => texts.next(),
      metricsType: operations.metricsType,
      notReady: () => operations.notReady(),
    };
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: REQUEST_MS,
        requestTimeout: REQUEST_MS,
        keepAliveTimeout: IDLE_MS,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => void answer(request, response, served),
    );
    const connections = new NewestSockets(MAX_CONNECTIONS);
    server.on('connection', (socket) => connections.add(socket));
    // A reader that takes nothing of its answer; `requestTimeout` is over by then.
    server.setTimeout(2 * REQUEST_MS, (socket) => socket.destroy());
    await once(server.listen(address.port, address.host), 'listening');
    // A connection that can't be accepted, as for lack of file descriptors, is no reason to end.
    server.on('error', () => {});
    const bound = server.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
    return new OperationsServer(server, { ...address, port });
  }

  /** Stops to listen, and breaks what connections are open. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  operations: Operations,
): Promise<void> {
  const { method = '', url = '' } = request;
  const [path] = url.split('?', 1);
  if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
    send(response, 404, 'not found: there are /metrics, /healthz and /readyz\n');
  } else if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, 405, 'only GET and HEAD are answered\n');
  } else if (path === '/metrics') {
    try {
      send(response, 200, await operations.metrics(), operations.metricsType);
    } catch {
      send(response, 500, 'the metrics cannot be read\n');
    }
  } else if (path === '/readyz') {
    const reason = operations.notReady();
    send(response, reason === null ? 200 : 503, reason === null ? 'ready\n' : `not ready: ${reason}\n`);
  } else {
    // That there is an answer tells that the event loop turns.
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
