import { readFileSync, writeFileSync } from 'node:fs';
import type { ServiceDefinition } from '@grpc/grpc-js';

/** RecordedCall is a call and all of its responses. */
export interface RecordedCall {
  readonly path: string;
  readonly request: Buffer;
  readonly responses: readonly Buffer[];
}

/** The methods that rows call. This module does not load the generated contract, which bare grpc-js would not load. */
const UNARY = ['LoadHandle', 'GetHandleById', 'CloseHandles', 'ResolveMembers', 'GetServerInfo'];
const STREAMS = ['IterateHandles', 'Spec'];

const identity = (bytes: Buffer): Buffer => bytes;

/** SERVICE is the service with messages that stay encoded. */
export const SERVICE: ServiceDefinition = Object.fromEntries(
  [...UNARY, ...STREAMS].map((name) => [
    name,
    {
      path: `/btf.v1.BtfService/${name}`,
      requestStream: false,
      responseStream: STREAMS.includes(name),
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    },
  ]),
);

/** CHANNEL_OPTIONS are those of both sides: no bound on messages, and the flow control window of the daemon. */
export const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc-node.flow_control_window': 8 * 1024 * 1024,
};

/** keyOf identifies a call by its method and request. */
export function keyOf(path: string, request: Buffer): string {
  return `${path} ${request.toString('latin1')}`;
}

/** writeRecording writes calls to a file. */
export function writeRecording(file: string, calls: Iterable<RecordedCall>): void {
  const text = JSON.stringify(
    [...calls].map(({ path, request, responses }) => ({
      path,
      request: request.toString('base64'),
      responses: responses.map((response) => response.toString('base64')),
    })),
  );
  writeFileSync(file, text);
}

/** readRecording reads the calls of a file. */
export function readRecording(file: string): RecordedCall[] {
  const calls: { path: string; request: string; responses: string[] }[] = JSON.parse(
    readFileSync(file, 'utf8'),
  );
  return calls.map(({ path, request, responses }) => ({
    path,
    request: Buffer.from(request, 'base64'),
    responses: responses.map((response) => Buffer.from(response, 'base64')),
  }));
}
