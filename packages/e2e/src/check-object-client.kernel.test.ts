import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { decodeRelocation, encodeRelocation } from '@btfd/api';
import {
  checkObject,
  ElfFile,
  findBpfObjects,
  type ObjectReport,
  parseBpfObject,
  type RelocationFinding,
  Spec,
} from '@btfd/btf';
import { BtfClient, type ObjectReportPart } from '@btfd/client';
import { DaemonProcess } from './testing/daemon-process.js';

const OBJECTS = fileURLToPath(new URL('../../../.cache/objects/', import.meta.url));
const AGENT = new URL('../../../examples/bpf/agent.bpf.o', import.meta.url);

function debianObjects(): Uint8Array[] {
  return ['libbpf-tools', 'xdp-tools'].flatMap((folder) =>
    readdirSync(join(OBJECTS, folder)).flatMap((name) =>
      findBpfObjects(readFileSync(join(OBJECTS, folder, name))).map(({ bytes }) => bytes),
    ),
  );
}

/** The size of a section header. */
const SECTION_BYTES = 64;

/** Returns a report of the library as a client gets it. */
function asReceived(report: ObjectReport): object {
  const received = (finding: RelocationFinding): object => decodeRelocation(encodeRelocation(finding));
  return {
    ...report,
    modules: report.modules.map((name) => expect.objectContaining({ name })),
    relocations: report.relocations.map(received),
    programs: report.programs.map((program) => ({
      ...program,
      relocations: program.relocations.map(received),
    })),
  };
}

/** Returns an object whose section of the license, which loaders read, has as many bytes as requested. */
function largeObject(size: number): Uint8Array {
  const small = readFileSync(AGENT);
  const elf = ElfFile.parse(small);
  const large = Buffer.concat([small, Buffer.alloc(size)]);
  const { index } = elf.sectionHeaders(512).find(({ name }) => name === 'license') ?? { index: 0 };
  const at = elf.tableOffset + SECTION_BYTES * index;
  large.writeBigUInt64LE(BigInt(small.length), at + 24);
  large.writeBigUInt64LE(BigInt(size), at + 32);
  return large;
}

needs('vmlinux').describe('checkObject of the client', () => {
  let daemon: DaemonProcess;
  let client: BtfClient;
  let kernel: Spec;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    client = new BtfClient(daemon.address);
    kernel = Spec.parse(new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux')));
  });
  afterAll(async () => {
    await client.close();
    await daemon[Symbol.asyncDispose]();
  });

  /** Compares the report of the daemon with that of the library. */
  async function compare(object: Uint8Array, loader: 'libbpf' | 'cilium'): Promise<void> {
    const options = { loader, modules: [], all: true };
    const report = await client.checkObject(object, options);
    const { kernelVersion } = report;
    const expected = checkObject(parseBpfObject(object), { kernel }, { loader, kernelVersion });
    expect(report).toMatchObject(asReceived(expected));
  }

  test.each(['libbpf', 'cilium'] as const)(
    'returns the report of the library, as %s loads',
    async (loader) => {
      await compare(new Uint8Array(readFileSync(AGENT)), loader);
    },
  );

  needs('debian-objects').test.each(['libbpf', 'cilium'] as const)(
    'returns the report of the library about each object of Debian’s programs, as %s loads',
    async (loader) => {
      const objects = debianObjects();
      expect(objects.length).toBeGreaterThan(80);
      for (const object of objects) await compare(object, loader);
    },
  );

  test('names the kernel, and finds no fault that is not there', async () => {
    const {
      kernelRelease,
      machine,
      kernel: info,
      kernelVersion,
      ...report
    } = await client.checkObject(readFileSync(AGENT), { programs: ['on_switch'] });
    const daemonInfo = await client.serverInfo();
    expect({ kernelRelease, machine }).toEqual({
      kernelRelease: daemonInfo.kernelRelease,
      machine: daemonInfo.machine,
    });
    expect(info).toMatchObject({ name: 'vmlinux', digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(kernelVersion).toBeGreaterThan(5 << 16);
    expect(report.programs).toMatchObject([
      { name: 'on_sync', loaded: false, verdict: null, relocations: [] },
      { name: 'on_switch', loaded: true, verdict: 'GUARDED', relocations: [{ verdict: 'GUARDED' }] },
    ]);
    expect(report.verdict).toBe('GUARDED');
  });

  test('yields the same report in parts', async () => {
    const object = readFileSync(AGENT);
    const parts: ObjectReportPart[] = [];
    for await (const part of client.checkObjectStream(object)) parts.push(part);
    const { programs, ...rest } = await client.checkObject(object);
    expect(parts.flatMap((part) => (part.type === 'program' ? [part.program] : []))).toEqual(programs);
    const [first, last] = [parts[0], parts.at(-1)];
    expect({
      ...(first?.type === 'header' && first.header),
      ...(last?.type === 'summary' && last.summary),
    }).toEqual(rest);
  });

  test('rejects an object that is too large, with the limit', async () => {
    const { maxObjectBytes } = (await client.serverInfo()).limits;
    expect(maxObjectBytes).toBeGreaterThan(0);
    await expect(client.checkObject(largeObject(maxObjectBytes))).rejects.toMatchObject({
      reason: 'MESSAGE_TOO_LARGE',
      metadata: { limit: expect.any(String) },
    });
  });

  test.each([
    ['a file that is not an object', 'not an ELF file', 'OBJECT_UNREADABLE'],
    ['a module that is not loaded', null, 'NAME_NOT_FOUND'],
  ])('rejects %s', async (_, text, reason) => {
    const object = text === null ? readFileSync(AGENT) : Buffer.from(text);
    const options = text === null ? { modules: ['no_such_module'] } : {};
    await expect(client.checkObject(object, options)).rejects.toMatchObject({ reason });
  });
});
