import { toBinary, create } from '@bufbuild/protobuf';
import { ResolveMembersResponseSchema, SpecResponseSchema } from '@btfd/api';
import { Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { reportLoopDelay } from './loop-delay.js';
import { PEER_CHUNK_BYTES, PEER_CHUNKS, PEER_STREAM, PEER_UNARY } from './throughput.js';

// A bare grpc-js server, whose responses are ready in memory.
const unaryResponse = Buffer.from(
  toBinary(ResolveMembersResponseSchema, create(ResolveMembersResponseSchema)),
);
const raw = new Uint8Array(PEER_CHUNK_BYTES);
const chunk = Buffer.from(
  toBinary(SpecResponseSchema, create(SpecResponseSchema, { part: { case: 'raw', value: raw } })),
);
const identity = (bytes: Buffer): Buffer => bytes;
const method = {
  requestStream: false,
  requestSerialize: identity,
  requestDeserialize: identity,
  responseSerialize: identity,
  responseDeserialize: identity,
};
const definition: ServiceDefinition = {
  unary: { ...method, path: PEER_UNARY, responseStream: false },
  stream: { ...method, path: PEER_STREAM, responseStream: true },
};

const server = new Server();
server.addService(definition, {
  unary: (_call: unknown, respond: (error: null, value: Buffer) => void) => respond(null, unaryResponse),
  stream: (call: {
    write(value: Buffer): boolean;
    once(event: 'drain', next: () => void): void;
    end(): void;
  }) => {
    let left = PEER_CHUNKS;
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        if (!call.write(chunk)) {
          call.once('drain', more);
          return;
        }
      }
      call.end();
    };
    more();
  },
});
await new Promise<void>((resolve, reject) => {
  server.bindAsync(`unix:${process.argv[2] ?? ''}`, ServerCredentials.createInsecure(), (error) => {
    if (error === null) resolve();
    else reject(error);
  });
});
reportLoopDelay();
process.send?.({ port: null });
