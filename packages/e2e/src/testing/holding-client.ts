// A program that holds what the daemon lets it hold, and waits to be killed.
import { RawClient } from './raw-client.js';

const client = new RawClient(process.argv[2] ?? '');
for await (const answer of client.stream('iterateHandles', { hold: true })) void answer;
