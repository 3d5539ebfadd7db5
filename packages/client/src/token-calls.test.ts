import { credentials } from '@grpc/grpc-js';
import { expect, test } from '@jest/globals';
import { Connection } from './call/connection.js';
import { FakeDaemon } from './fake-daemon/index.js';
import { closes, renewals } from './testing/daemon-calls.js';
import { closeTokens, renewTokens } from './token-calls.js';

const TOKENS = Array.from({ length: 2001 }, (_, i) => `token-${i}`);

test('a call has at most as many tokens as the contract allows', async () => {
  await using daemon = await FakeDaemon.start();
  const connection = new Connection(daemon.address, credentials.createInsecure());
  expect(await renewTokens(connection, TOKENS, {})).toEqual(TOKENS.map(() => null));
  expect(renewals(daemon).map(({ length }) => length)).toEqual([1000, 1000, 1]);
  expect(renewals(daemon).flat()).toEqual(TOKENS);
  await closeTokens(connection, TOKENS, {});
  expect(closes(daemon).map(({ length }) => length)).toEqual([1000, 1000, 1]);
  expect(closes(daemon).flat()).toEqual(TOKENS);
  await connection.close();
});
