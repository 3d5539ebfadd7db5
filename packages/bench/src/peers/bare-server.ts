// A bare grpc-js server, which responds with recorded messages:
//
//     node bare-server.js SOCKET RECORDING            responds with the calls of a file
//     node bare-server.js SOCKET RECORDING UPSTREAM   passes a call on the first time, and then responds with its record;
//                                                     SIGHUP drops the records, SIGTERM writes the file
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  status,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServerWritableStream,
} from '@grpc/grpc-js';
import {
  CHANNEL_OPTIONS,
  keyOf,
  readRecording,
  SERVICE,
  writeRecording,
  type RecordedCall,
} from './recording.js';

const [, , socket = '', file = '', upstream] = process.argv;
const recorded = new Map<string, RecordedCall>();
if (upstream === undefined) {
  for (const call of readRecording(file)) recorded.set(keyOf(call.path, call.request), call);
}
const client =
  upstream === undefined ? null : new Client(upstream, credentials.createInsecure(), CHANNEL_OPTIONS);

const server = new Server(CHANNEL_OPTIONS);
server.addService(
  SERVICE,
  Object.fromEntries(
    Object.entries(SERVICE).map(([name, { path, responseStream }]) => [
      name,
      responseStream ? streamOf(path) : unaryOf(path),
    ]),
  ),
);
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
  console.log('listening');
});
process.on('SIGHUP', () => recorded.clear());
process.on('SIGTERM', () => {
  if (upstream !== undefined) writeRecording(file, recorded.values());
  process.exit();
});

function unaryOf(path: string): handleUnaryCall<Buffer, Buffer> {
  return ({ request }, respond) => {
    const call = recorded.get(keyOf(path, request));
    if (call !== undefined) {
      respond(null, call.responses[0] ?? null);
      return;
    }
    if (client === null) {
      respond({ code: status.UNIMPLEMENTED, details: `not recorded: ${path} ${request.toString('hex')}` });
      return;
    }
    client.makeUnaryRequest(path, identity, identity, request, (error, response) => {
      if (response !== undefined) keep(path, request, [response]);
      respond(error, response ?? null);
    });
  };
}

function streamOf(path: string): handleServerStreamingCall<Buffer, Buffer> {
  return (call) => {
    const { request } = call;
    const known = recorded.get(keyOf(path, request));
    if (known !== undefined) {
      send(call, known.responses);
      return;
    }
    if (client === null) {
      call.emit('error', { code: status.UNIMPLEMENTED, details: `not recorded: ${path}` });
      return;
    }
    const responses: Buffer[] = [];
    client
      .makeServerStreamRequest(path, identity, identity, request)
      .on('data', (response: Buffer) => responses.push(response))
      .on('error', (error) => call.emit('error', error))
      .on('end', () => {
        keep(path, request, responses);
        send(call, responses);
      });
  };
}

function keep(path: string, request: Buffer, responses: readonly Buffer[]): void {
  recorded.set(keyOf(path, request), { path, request, responses });
}

/** Sends messages as fast as the client reads them. */
function send(call: ServerWritableStream<Buffer, Buffer>, responses: readonly Buffer[]): void {
  const rest = responses.values();
  const more = (): void => {
    for (const response of rest) {
      if (call.write(response)) continue;
      call.once('drain', more);
      return;
    }
    call.end();
  };
  more();
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}
