import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BtfClient, type SpecNote } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';
import { formatNote } from '@btfd/btf';
import { needs } from 'test-tools';
import { btfctl } from './testing/btfctl.js';

const FOLDER = fileURLToPath(new URL('../testdata/btf/later', import.meta.url));
const BYTES = 'bytes belong to no known section';
const FIELDS = 'unknown fields in the header of 40 bytes (offset 32, 8 bytes)';

/** BTF of a later kernel, with what is unknown in it, and the kernel's words for it. */
const CASES = [
  ['hdr40', [FIELDS, `${BYTES} (offset 100, 12 bytes)`], 'Unsupported btf_header'],
  ['hdr40end', [FIELDS, `${BYTES} (offset 109, 12 bytes)`], 'Unsupported btf_header'],
  ['trail', [`${BYTES} (offset 45, 7 bytes)`], 'Unsupported section found'],
  ['gap', [`${BYTES} (offset 40, 8 bytes)`], 'Unsupported section found'],
  ['flags', ['unknown flags 0x1 in the header (offset 3, 1 byte)'], 'Unsupported flags'],
] as const;

describe.each(CASES)('the BTF of a later kernel, %s.btf', (name, notes, refusal) => {
  const path = `${FOLDER}/${name}.btf`;
  const btf = new Uint8Array(readFileSync(path));
  let dir: string;
  let daemon: FakeDaemon;
  let client: BtfClient;

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'btfctl-later-'));
    // A daemon of this machine prints its C.
    const listen = `unix:${join(dir, 'btfd.sock')}`;
    daemon = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }], listen });
    client = new BtfClient(daemon.address);
  });
  afterAll(async () => {
    await client.close();
    await daemon.stop();
    rmSync(dir, { recursive: true });
  });

  const run = (...args: string[]) => btfctl(args, { BTFD_ADDRESS: daemon.address });
  const noted = (label: string) => notes.map((note) => `btfctl: note: ${label}: ${note}\n`).join('');

  needs('bpftool').test('is dumped as bpftool dumps it, and the rest is noted', async () => {
    const stdout = execFileSync('bpftool', ['btf', 'dump', 'file', path], { encoding: 'utf8' });
    expect(await run('dump', path)).toEqual({ status: 0, stdout, stderr: noted(path) });
    expect(await run('dump', 'vmlinux')).toEqual({ status: 0, stdout, stderr: noted('vmlinux') });
    expect(await run('dump', path, '--quiet')).toEqual({ status: 0, stdout, stderr: '' });
  });

  test('is printed as C by the daemon, and the rest is noted', async () => {
    const local = await run('header', path);
    expect(local).toMatchObject({ status: 0, stderr: noted(path) });
    for (const args of [['header'], ['dump', 'vmlinux', 'format', 'c']]) {
      expect(await run(...args)).toEqual({ ...local, stderr: noted('vmlinux') });
    }
  });

  test('is searched', async () => {
    const found = await run('find', 'int');
    expect(found).toMatchObject({ status: 0, stderr: noted('vmlinux') });
    expect(await run('find', 'int', '--in', path)).toMatchObject({ status: 0, stderr: noted(path) });
  });

  test('is refused for loading, with the place', async () => {
    const checked = await run('check', path);
    expect(checked).toMatchObject({ status: 4, stderr: noted(path) });
    expect(checked.stdout).toContain(refusal);
    const loaded = await run('load', path);
    expect(loaded.stderr).toContain(noted(path));
    expect(loaded.stderr).toContain('BTF refused with E');
  });

  test('has its notes in what the client returns', async () => {
    await using handle = await client.getHandleById(1);
    expect((await handle.spec()).notes.map(formatNote)).toEqual(notes);
    const { spec, notes: selected } = await handle.selectTypes({ names: ['int'] });
    expect(selected).toEqual((await handle.spec()).notes);
    expect([spec.typeCount, spec.notes]).toEqual([1, []]);
    const ofHeader: SpecNote[] = [];
    const onNote = (note: SpecNote): void => void ofHeader.push(note);
    expect(await handle.cHeader({}, { onNote })).toContain('__VMLINUX_H__');
    expect(ofHeader).toEqual(selected);
  });
});
