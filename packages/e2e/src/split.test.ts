import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { has, needs } from 'test-tools';
import { Encoding, type Type } from '@btfd/api';
import { Spec } from '@btfd/btf';
import { BtfClient } from '@btfd/client';
import { status } from '@grpc/grpc-js';
import { btfDump } from './testing/bpftool.js';
import { bpftoolJson } from './testing/bpftool-json.js';
import { DaemonProcess } from './testing/daemon-process.js';
import { DEBIAN_KERNEL } from './testing/debian-kernel.js';
import { errorInfoOf, failureOf, RawClient } from './testing/raw-client.js';

needs('debian-kernels').describe('split BTF of real modules', () => {
  let daemon: DaemonProcess;
  let client: RawClient;
  const modules = has('debian-kernels')
    ? readdirSync(DEBIAN_KERNEL).filter((name) => name !== 'vmlinux')
    : [''];

  beforeAll(async () => {
    daemon = await DaemonProcess.start({ args: ['--btf-dir', DEBIAN_KERNEL] });
    client = new RawClient(daemon.address);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  needs('bpftool').test.each(modules)('TYPES of %s on its base equals bpftool’s output', async (name) => {
    const types: Type[] = [];
    const request = { source: { case: 'name', value: name }, encoding: Encoding.TYPES } as const;
    for await (const { part } of client.stream('spec', request)) {
      if (part.case === 'header')
        expect(part.value).toMatchObject({ split: true, info: { name, isKernel: true } });
      if (part.case === 'types') types.push(...part.value.types);
    }
    expect(types.map(bpftoolJson)).toEqual(
      btfDump('-B', join(DEBIAN_KERNEL, 'vmlinux'), 'file', join(DEBIAN_KERNEL, name)),
    );
  });

  test('the client joins a module to its base automatically', async () => {
    await using typed = new BtfClient(daemon.address);
    const spec = await typed.spec('bonding');
    expect(Buffer.from(spec.bytes).equals(readFileSync(join(DEBIAN_KERNEL, 'bonding')))).toBe(true);
    expect(spec.base?.typesByName('net_device').map(({ kind }) => kind)).toContain('STRUCT');
    const bond = spec.typesByName('bonding').find(({ kind }) => kind === 'STRUCT');
    const dev = bond?.kind === 'STRUCT' ? bond.members.find(({ name }) => name === 'dev') : undefined;
    const pointer = spec.typeById(dev?.typeId ?? 0);
    expect(pointer.kind === 'PTR' ? spec.typeById(pointer.typeId) : null).toMatchObject({
      name: 'net_device',
    });
  });

  test('without a base the client reports "missing base types", as cilium/ebpf does', async () => {
    await using typed = new BtfClient(daemon.address);
    await expect(typed.spec('bonding', { base: null })).rejects.toThrow('missing base types');
    const given = Spec.parse(readFileSync(join(DEBIAN_KERNEL, 'vmlinux')));
    expect((await typed.spec('bonding', { base: given })).base).toBe(given);
  });

  test('TYPES of a module without its base is FAILED_PRECONDITION, and RAW needs no base', async () => {
    const lone = mkdtempSync(join(tmpdir(), 'btf-lone-'));
    cpSync(join(DEBIAN_KERNEL, 'veth'), join(lone, 'veth'));
    await using other = await DaemonProcess.start({ args: ['--btf-dir', lone] });
    using otherClient = new RawClient(other.address);
    const get = async (encoding: Encoding) => {
      const chunks: Uint8Array[] = [];
      const source = { case: 'name', value: 'veth' } as const;
      for await (const { part } of otherClient.stream('spec', { source, encoding })) {
        if (part.case === 'raw') chunks.push(part.value);
      }
      return Buffer.concat(chunks);
    };
    expect((await get(Encoding.RAW)).equals(readFileSync(join(DEBIAN_KERNEL, 'veth')))).toBe(true);
    const error = await failureOf(get(Encoding.TYPES));
    expect([error.code, errorInfoOf(error).reason]).toEqual([status.FAILED_PRECONDITION, 'MISSING_BASE']);
    rmSync(lone, { recursive: true });
  });
});
