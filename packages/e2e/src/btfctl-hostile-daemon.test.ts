import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { BtfService, type SpecNoteSchema, SpecResponseSchema } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import { Server, ServerCredentials, type handleServerStreamingCall } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { btfctl } from './testing/btfctl.js';

type Note = MessageInitShape<typeof SpecNoteSchema>;

const C = 'struct s {};\n';

let dir: string;
let server: Server;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'btfctl-hostile-'));
  server = new Server();
});
afterEach(() => {
  server.forceShutdown();
  rmSync(dir, { recursive: true });
});

/** Starts a daemon that prints C, with notes. Returns its address. */
async function serveNotes(notes: readonly Note[]): Promise<string> {
  const spec: handleServerStreamingCall<unknown, unknown> = (call) => {
    const header = { info: { id: 1, name: 'vmlinux' }, notes: [...notes], selection: {} };
    call.write(create(SpecResponseSchema, { part: { case: 'header', value: header } }));
    call.write(create(SpecResponseSchema, { part: { case: 'c', value: Buffer.from(C) } }));
    call.end();
  };
  const { spec: definition } = toServiceDefinition(BtfService);
  server.addService({ spec: definition }, { spec });
  const address = `unix:${join(dir, 'btfd.sock')}`;
  await new Promise((resolve) => server.bindAsync(address, ServerCredentials.createInsecure(), resolve));
  return address;
}

test('btfctl prints few of the notes that a daemon sends, and how many it leaves out', async () => {
  const notes = Array.from({ length: 20_000 }, (_, offset): Note => ({
    message: 'unknown',
    offset,
    length: 4,
  }));
  const { status, stdout, stderr } = await btfctl([
    'header',
    'vmlinux',
    '--address',
    await serveNotes(notes),
  ]);
  expect([status, stdout]).toEqual([0, C]);
  expect(stderr.split('\n')).toEqual([
    ...Array.from({ length: 10 }, (_, at) => `btfctl: note: vmlinux: unknown (offset ${at}, 4 bytes)`),
    'btfctl: note: vmlinux: left out 19,990 more notes',
    '',
  ]);
});

test('btfctl prints a note of a daemon as one line without control characters, and not all of a long one', async () => {
  const message = `\u001b[2J\u202egreen\nbtfctl: note: all is well\r${'\n'.repeat(100_000)}`;
  const address = await serveNotes([{ message, offset: 1, length: 1 }]);
  const { status, stdout, stderr } = await btfctl(['header', 'vmlinux', '--address', address]);
  expect([status, stdout]).toEqual([0, C]);
  expect(stderr).toMatch(
    /^btfctl: note: vmlinux: \uFFFD\[2J\uFFFDgreen\uFFFDbtfctl: note: all is well\uFFFD+… \(offset 1, 1 byte\)\n$/,
  );
  expect(stderr.length).toBeLessThan(3000);
});
