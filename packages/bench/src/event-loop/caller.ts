import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';

/** Method is a method with a request and a response. */
interface Method<I extends DescMessage, O extends DescMessage> extends Pick<DescMethod, 'name' | 'parent'> {
  readonly input: I;
  readonly output: O;
}

const identity = (bytes: Buffer): Buffer => bytes;

/** Caller calls a server. It decodes only the responses of `call`. */
export class Caller implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc-node.flow_control_window': 8 * 1024 * 1024,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
    });
  }

  /** Makes a unary call and returns the response. */
  async call<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    init: MessageInitShape<I>,
  ): Promise<MessageShape<O>> {
    const bytes = await this.unaryBytes(pathOf(method), encode(method.input, init));
    return fromBinary(method.output, new Uint8Array(bytes));
  }

  /** Makes a unary call and returns the bytes of the response. */
  async unaryBytes(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, identity, identity, request, (error, value) => {
        if (error !== null) reject(error);
        else resolve(value ?? Buffer.alloc(0));
      });
    });
  }

  /** Reads a stream to its end and returns the number of bytes. */
  async drain(path: string, request: Buffer): Promise<number> {
    let bytes = 0;
    const stream: AsyncIterable<Buffer> = this.#client.makeServerStreamRequest(
      path,
      identity,
      identity,
      request,
    );
    for await (const message of stream) bytes += message.length;
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** encode returns the bytes of a message. */
export function encode<I extends DescMessage>(schema: I, init: MessageInitShape<I>): Buffer {
  return Buffer.from(toBinary(schema, create(schema, init)));
}

/** pathOf returns the path of a method. */
export function pathOf({ name, parent }: Pick<DescMethod, 'name' | 'parent'>): string {
  return `/${parent.typeName}/${name}`;
}
