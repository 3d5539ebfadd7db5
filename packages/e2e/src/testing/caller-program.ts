// A program that becomes another user, makes calls one after the other, and prints the outcome of each as a line of
// JSON: the responses, or the code, reason and message of the error. Arguments: address, identity, calls.
import { fromJson, toJson } from '@bufbuild/protobuf';
import { BtfService } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { Client, credentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import type { CallOf, Identity } from './caller-process.js';
import { errorInfoOf } from './raw-client.js';

const [address = '', identity = '', calls = ''] = process.argv.slice(2);
const { uid, gid, groups }: Identity = JSON.parse(identity);
process.setgroups?.([...groups]);
process.setgid?.(gid);
process.setuid?.(uid);

const client = new Client(address, credentials.createInsecure());
const definition = toServiceDefinition(BtfService);

/** Makes a call, hands its messages to `onMessage`, and returns its error or null. */
async function call(
  {
    path,
    requestSerialize,
    responseDeserialize,
  }: Pick<MethodDefinition<never, unknown>, 'path' | 'requestSerialize' | 'responseDeserialize'>,
  request: unknown,
  onMessage: (message: unknown) => void,
): Promise<ServiceError | null> {
  // A unary call is a stream of one message.
  const stream = client.makeServerStreamRequest(
    path,
    (each: unknown) => Reflect.apply(requestSerialize, null, [each]),
    responseDeserialize,
    request,
  );
  return new Promise((resolve) => {
    stream
      .on('data', onMessage)
      .on('error', (error: ServiceError) => resolve(error))
      .on('end', () => resolve(null));
  });
}

async function outcomeOf([name, json]: CallOf): Promise<object> {
  const answers: unknown[] = [];
  const { Check } = healthService;
  if (Check === undefined) throw new Error('no Check');
  const { input, output } = BtfService.method[name === 'health' ? 'getServerInfo' : name];
  const error =
    name === 'health'
      ? await call(Check, { service: '' }, (message) => answers.push(message))
      : await call(definition[name], fromJson(input, json), (message) =>
          answers.push(Reflect.apply(toJson, null, [output, message])),
        );
  if (error === null) return { answers };
  return { code: error.code, reason: errorInfoOf(error).reason, message: error.details };
}

const list: CallOf[] = JSON.parse(calls);
for (const each of list) console.log(JSON.stringify(await outcomeOf(each)));
client.close();
