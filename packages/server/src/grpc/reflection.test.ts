import { once } from 'node:events';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from '@btfd/api/grpc-services';
import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { TempDir } from '../testing/temp-dir.js';
import { Reflection } from './reflection.js';

const VERSIONS = ['v1', 'v1alpha'];
const { serverReflectionInfo: METHOD } = toServiceDefinition(ServerReflection);

type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>['messageRequest']>;

let dir: TempDir;
let client: Client;
const server = new Server();

beforeAll(async () => {
  dir = new TempDir();
  new Reflection().addToServer(server);
  const address = `unix:${join(dir.path, 'socket')}`;
  await new Promise<void>((resolve) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), () => resolve());
  });
  client = new Client(address, credentials.createInsecure());
});
afterAll(() => {
  client.close();
  server.forceShutdown();
  dir[Symbol.dispose]();
});

function open(version = 'v1') {
  const path = METHOD.path.replace('.v1.', `.${version}.`);
  return client.makeBidiStreamRequest(path, METHOD.requestSerialize, METHOD.responseDeserialize);
}

async function ask(...questions: Question[]): Promise<ServerReflectionResponse['messageResponse'][]> {
  const stream = open();
  for (const messageRequest of questions) {
    stream.write(create(ServerReflectionRequestSchema, { host: 'h', messageRequest }));
  }
  stream.end();
  const answers = [];
  for await (const answer of stream) answers.push(answer.messageResponse);
  return answers;
}

/** Returns the files of an answer. */
function filesOf({ case: kind, value }: ServerReflectionResponse['messageResponse']) {
  if (kind !== 'fileDescriptorResponse') throw new Error(`got ${kind}: ${JSON.stringify(value)}`);
  return value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

test.each(VERSIONS)('%s lists the services, and sends the request back', async (version) => {
  const stream = open(version);
  const request = create(ServerReflectionRequestSchema, {
    host: 'h',
    messageRequest: { case: 'listServices', value: '' },
  });
  stream.write(request);
  const [answer] = await once(stream, 'data');
  expect(answer).toMatchObject({
    validHost: 'h',
    originalRequest: request,
    messageResponse: {
      case: 'listServicesResponse',
      value: { service: [{ name: 'btf.v1.BtfService' }, { name: 'grpc.health.v1.Health' }] },
    },
  });
  stream.end();
  await once(stream, 'end');
});

test('A file comes with its imports, each once', async () => {
  const answers = await ask({ case: 'fileByFilename', value: 'btf/v1/btf_service.proto' });
  const files = answers.flatMap(filesOf);
  const names = files.map(({ name }) => name);
  expect(names[0]).toBe('btf/v1/btf_service.proto');
  expect(names).toHaveLength(new Set(names).size);
  for (const { dependency } of files) expect(names).toEqual(expect.arrayContaining(dependency));
});

test('Each symbol that the library of gRPC’s authors finds is found in the same file', async () => {
  const answered = await ask({ case: 'fileByFilename', value: 'btf/v1/btf_service.proto' });
  const root = answered.flatMap(filesOf);
  const fileDescriptorProtos = root.map((file) => Buffer.from(toBinary(FileDescriptorProtoSchema, file)));
  const library = new ReflectionService({
    served: { format: 'Protocol Buffer 3 DescriptorProto', type: {}, fileDescriptorProtos },
  });
  const symbols: Record<string, { name: string }> = Reflect.get(Reflect.get(library, 'v1'), 'symbols');
  // The library puts the values of an enum into the enum. For protobuf they are beside it.
  const names = Object.keys(symbols).map((name) => name.replace(/[.]\w+([.][A-Z0-9_]+)$/, '$1'));
  expect(names).toContain('btf.v1.ORIGIN_VMLINUX');
  expect(names.length).toBeGreaterThan(300);
  const answers = await ask(...names.map((value) => ({ case: 'fileContainingSymbol', value }) as const));
  const found = answers.map((answer, i) => [names[i], filesOf(answer)[0]?.name]);
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(Object.values(symbols).map(({ name }, i) => [names[i], name])),
  );
});

test.each<[string, Question]>([
  ['file a.proto', { case: 'fileByFilename', value: 'a.proto' }],
  ['symbol a.B', { case: 'fileContainingSymbol', value: 'a.B' }],
  ['message a.B', { case: 'allExtensionNumbersOfType', value: 'a.B' }],
  ['message btf.v1.BtfService', { case: 'allExtensionNumbersOfType', value: 'btf.v1.BtfService' }],
  [
    'extension 5 of btf.v1.Type',
    { case: 'fileContainingExtension', value: { containingType: 'btf.v1.Type', extensionNumber: 5 } },
  ],
])('An unknown name is NOT_FOUND: %s', async (what, question) => {
  const after = { case: 'listServices', value: '' } as const;
  expect(await ask(question, after)).toMatchObject([
    {
      case: 'errorResponse',
      value: { errorCode: status.NOT_FOUND, errorMessage: `this daemon serves no ${what}` },
    },
    { case: 'listServicesResponse' },
  ]);
});

test('The messages of error details are known', async () => {
  const names = ['google.rpc.Status', 'google.rpc.ErrorInfo', 'google.rpc.RetryInfo', 'btf.v1.ErrorReason'];
  const answers = await ask(...names.map((value) => ({ case: 'fileContainingSymbol', value }) as const));
  expect(answers.map((answer) => filesOf(answer)[0]?.package)).toEqual(
    names.map((name) => name.replace(/[.]\w+$/, '')),
  );
});

test('A message of the contract has no extensions', async () => {
  expect(await ask({ case: 'allExtensionNumbersOfType', value: 'btf.v1.Type' })).toMatchObject([
    { case: 'allExtensionNumbersResponse', value: { baseTypeName: 'btf.v1.Type', extensionNumber: [] } },
  ]);
});

test('A request without a question is INVALID_ARGUMENT', async () => {
  expect(await ask({ case: undefined })).toMatchObject([
    { case: 'errorResponse', value: { errorCode: status.INVALID_ARGUMENT } },
  ]);
});

test('Malformed bytes end the stream with an error, and the next one works', async () => {
  const stream = client.makeBidiStreamRequest(
    METHOD.path,
    (bytes: Buffer) => bytes,
    METHOD.responseDeserialize,
  );
  stream.write(Buffer.of(0x0a, 0xff));
  await expect(once(stream, 'data')).rejects.toMatchObject({ code: status.INTERNAL });
  expect(await ask({ case: 'listServices', value: '' })).toHaveLength(1);
});

test('While a client does not read its responses, no more requests are read', async () => {
  const unsent: (() => void)[] = [];
  const stream = new Duplex({ objectMode: true, read() {}, write: (_, __, done) => void unsent.push(done) });
  let handler: ((of: Duplex) => void) | undefined;
  new Reflection().addToServer({
    addService: (_, { serverReflectionInfo }) => (handler = serverReflectionInfo as typeof handler),
  });
  handler?.(stream);
  for (let i = 0; i < 100; i++) stream.push(create(ServerReflectionRequestSchema));
  await setImmediate();
  expect(stream.isPaused()).toBe(true);
  expect(stream.readableLength).toBe(100 - stream.writableLength);
  expect(stream.writableLength).toBe(stream.writableHighWaterMark);
  while (unsent.length > 0) {
    unsent.pop()?.();
    await setImmediate();
  }
  expect([stream.readableLength, stream.writableLength]).toEqual([0, 0]);
});
