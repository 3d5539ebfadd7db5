// A program that holds as many handles as the daemon allows, and waits until it is killed.
import { RawClient } from './raw-client.js';

const client = new RawClient(process.argv[2] ?? '');
for await (const answer of client.stream('iterateHandles', { hold: true })) void answer;
