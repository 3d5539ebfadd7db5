import { create, type DescMessage, type MessageInitShape, type MessageShape } from '@bufbuild/protobuf';
import { BtfService } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { Client, credentials } from '@grpc/grpc-js';

type Methods = typeof BtfService.method;
type Name<Kind> = { [K in keyof Methods]: Methods[K]['methodKind'] extends Kind ? K : never }[keyof Methods];

const definition = toServiceDefinition(BtfService);
const identity = (bytes: Buffer): Buffer => bytes;

/** Caller calls a server and throws the answers away, so that what is measured is the server. */
export class Caller implements Disposable {
  private readonly client: Client;

  constructor(address: string) {
    this.client = new Client(address, credentials.createInsecure(), {
      'grpc-node.flow_control_window': 8 * 1024 * 1024,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
  }

  /** Makes a unary call of the daemon. */
  async call<N extends Name<'unary'>>(
    name: N,
    init: MessageInitShape<Methods[N]['input']>,
  ): Promise<MessageShape<Methods[N]['output']>> {
    const method = definition[name];
    const input: DescMessage = BtfService.method[name].input;
    const wire = method.requestSerialize(create(input, init) as never);
    return method.responseDeserialize(await this.unaryBytes(method.path, wire)) as never;
  }

  /** Makes a unary call, and answers the bytes of the response. */
  async unaryBytes(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.client.makeUnaryRequest(path, identity, identity, request, (error, value) => {
        if (error !== null) reject(error);
        else resolve(value ?? Buffer.alloc(0));
      });
    });
  }

  /** The encoded request of a method of the daemon. */
  static encode<N extends keyof Methods>(name: N, init: MessageInitShape<Methods[N]['input']>): Buffer {
    const input: DescMessage = BtfService.method[name].input;
    return definition[name].requestSerialize(create(input, init) as never);
  }

  /** Reads a stream to its end, and answers its bytes. */
  async drain(path: string, request: Buffer): Promise<number> {
    let bytes = 0;
    const stream = this.client.makeServerStreamRequest(path, identity, identity, request);
    for await (const message of stream) bytes += (message as Buffer).length;
    return bytes;
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

/** pathOf is the path of a method of the daemon. */
export function pathOf(name: keyof Methods): string {
  return definition[name].path;
}
