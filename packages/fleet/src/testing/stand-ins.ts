import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { create } from '@bufbuild/protobuf';
import { BtfService, GetServerInfoResponseSchema, IterateHandlesResponseSchema, Origin } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import {
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';

/** StandIn stands for a node whose daemon is not as it should be. */
export interface StandIn extends AsyncDisposable {
  readonly address: string;
}

/** silentNode returns a node that accepts connections and never responds, as a stopped process does. */
export async function silentNode(): Promise<StandIn> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    address: addressOf(server.address()),
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

let deadAddresses = 0;

/** deadAddress returns an address at which nothing listens, another one each time. A port that was free may be taken. */
export function deadAddress(): string {
  deadAddresses += 1;
  return `127.9.0.${deadAddresses}:1`;
}

/** OldObject is an object of an old daemon. Its digest is empty if the daemon is too old to compute it. */
export interface OldObject {
  readonly name: string;
  readonly digest: Uint8Array;
}

/** oldDaemon returns a daemon that knows nothing of the fields that a survey asks for. */
export async function oldDaemon(objects: readonly OldObject[]): Promise<StandIn> {
  const server = new Server();
  server.addService(toServiceDefinition(BtfService), {
    getServerInfo(_call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>) {
      done(
        null,
        create(GetServerInfoResponseSchema, {
          daemonEpoch: 'old',
          kernelRelease: '5.15.0',
          machine: 'x86_64',
        }),
      );
    },
    iterateHandles(call: ServerWritableStream<unknown, unknown>) {
      for (const { name, digest } of objects) {
        const origin = name === 'vmlinux' ? Origin.VMLINUX : Origin.MODULE;
        call.write(create(IterateHandlesResponseSchema, { info: { name, origin, isKernel: true, digest } }));
      }
      call.end();
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

function addressOf(address: ReturnType<ReturnType<typeof createServer>['address']>): string {
  if (address === null || typeof address === 'string') throw new Error('the server does not listen');
  return `127.0.0.1:${address.port}`;
}
