import { Client, credentials } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';

/** healthOf returns the health status that a daemon reports. */
export async function healthOf(address: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  const { Check } = healthService;
  if (Check === undefined) throw new Error('no Check');
  const { path, requestSerialize, responseDeserialize } = Check;
  try {
    return await new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, answer) => {
        if (error === null) resolve(String((answer as { status?: unknown }).status));
        else reject(error);
      });
    });
  } finally {
    client.close();
  }
}
