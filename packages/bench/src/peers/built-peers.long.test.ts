import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import { BtfService, Encoding, type SpecRequestSchema } from '@btfd/api';
import { Builder, dedup, parseBpfObject, resolveRelocations, Spec, type Type } from '@btfd/btf';
import { btfGetNextId } from '@btfd/native';
import { addonKernel, parseAddress, startDaemon } from '@btfd/server';
import { Client, credentials } from '@grpc/grpc-js';
import { pino } from 'pino';
import { needs } from 'test-tools';
import { writeObjects } from './debian-objects.js';

const BIN = fileURLToPath(new URL('../../../../.cache/bench/bin', import.meta.url));
const { getServerInfo, resolveMembers, spec: specMethod } = BtfService.method;
const VMLINUX = { case: 'name', value: 'vmlinux' } as const;

const run = promisify(execFile);
const dir = mkdtempSync(join(tmpdir(), 'btfd-peers-'));
const vmlinux = join(dir, 'vmlinux');
const tiny = join(dir, 'tiny');
const service = `unix:${join(dir, 'go.sock')}`;

afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface DriverOutput {
  readonly cpuUs: readonly number[];
  readonly wallUs: readonly number[];
  readonly result: string;
}

async function drive(driver: string, row: string, file: string, count = 2): Promise<DriverOutput> {
  const { stdout } = await run(join(BIN, driver), [row, file, String(count)]);
  return JSON.parse(stdout);
}

/** Calls the service in Go. The numbers of the result depend on `args` alone, except times and bytes. */
async function call(scenario: string, ...args: readonly string[]): Promise<Record<string, number>> {
  const { stdout } = await run(join(BIN, 'go-caller'), [
    '--address',
    service,
    '--scenario',
    scenario,
    ...args,
  ]);
  return JSON.parse(stdout);
}

function methodArgs<I extends DescMessage>(
  { name, input }: { readonly name: string; readonly input: I },
  init: MessageInitShape<I>,
): string[] {
  return ['--method', `/btf.v1.BtfService/${name}`, '--request-hex', encode(input, init).toString('hex')];
}

function encode<I extends DescMessage>(schema: I, init: MessageInitShape<I>): Buffer {
  return Buffer.from(toBinary(schema, create(schema, init)));
}

needs('bench-peers', 'vmlinux').describe('The drivers of libbpf and cilium/ebpf', () => {
  beforeAll(() => copyFileSync('/sys/kernel/btf/vmlinux', vmlinux));

  test('print the costs of each repetition, and find as many types as @btfd/btf', async () => {
    const { typeCount } = Spec.parse(readFileSync(vmlinux));
    for (const driver of ['libbpf-driver', 'cilium-driver']) {
      const { cpuUs, wallUs, result } = await drive(driver, 'index', vmlinux, 3);
      expect(result).toBe(String(typeCount));
      for (const costs of [cpuUs, wallUs]) {
        expect(costs).toHaveLength(3);
        expect(Math.min(...costs)).toBeGreaterThan(0);
      }
    }
  });

  test('find task_struct under the same id', async () => {
    const ids = Spec.parse(readFileSync(vmlinux)).idsByName('task_struct');
    for (const driver of ['libbpf-driver', 'cilium-driver']) {
      const { result } = await drive(driver, 'first-name', vmlinux);
      expect(ids).toContain(Number(result));
    }
  });

  test('look up the same random names', async () => {
    const spec = Spec.parse(readFileSync(vmlinux));
    const isTag = ({ kind }: Type): boolean => kind === 'DECL_TAG' || kind === 'TYPE_TAG';
    const ofTags = new Set([...spec].filter(isTag).map(({ name }) => name));
    const names = [...spec]
      .map(({ name }) => name)
      .filter((name) => name !== '' && !name.includes('___') && !ofTags.has(name));
    let found = 0;
    for (let x = 0, left = 100_000; left > 0; left--) {
      x = (Math.imul(x, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      found += spec.typesByName(names[x % names.length] ?? '').length;
    }
    const { result } = await drive('cilium-driver', 'names', vmlinux, 1);
    expect(result).toBe(String(found));
  });

  test('rebuild BTF of nearly the same size, and print C', async () => {
    for (const driver of ['libbpf-driver', 'cilium-driver']) {
      const { result } = await drive(driver, 'rebuild', vmlinux, 1);
      expect(Number(result) / readFileSync(vmlinux).length).toBeCloseTo(1, 1);
    }
    const { result } = await drive('libbpf-driver', 'header', vmlinux, 1);
    expect(Number(result)).toBeGreaterThan(1_000_000);
  });

  test('deduplicate a pair of vmlinux to as many types as @btfd/btf', async () => {
    const builder = new Builder({ deduplicate: false });
    // A builder copies types of one Spec only once.
    for (const spec of [vmlinux, vmlinux].map((file) => Spec.parse(readFileSync(file)))) {
      builder.addAllFrom(
        spec,
        Array.from({ length: spec.typeCount }, (_, index) => spec.firstTypeId + index),
      );
    }
    const { bytes } = dedup(Spec.parse(builder.marshal()));
    const { result } = await drive('libbpf-driver', 'dedup', vmlinux, 1);
    expect(result).toBe(String(Spec.parse(bytes).typeCount));
  });

  test('refuse an unknown row with exit status 3', async () => {
    for (const driver of ['libbpf-driver', 'cilium-driver']) {
      await expect(drive(driver, 'nonsense', vmlinux)).rejects.toMatchObject({ code: 3 });
    }
  });
});

interface ObjectsOutput {
  readonly together: Omit<DriverOutput, 'result'>;
  readonly objects: readonly (Omit<DriverOutput, 'result'> & { readonly name: string })[];
  readonly result: string;
}

needs('bench-peers', 'debian-objects', 'vmlinux').test(
  'libbpf resolves as many relocations of BPF objects as @btfd/btf, and repeats that',
  async () => {
    const objects = join(dir, 'objects');
    writeObjects(objects);
    const names = readdirSync(objects).toSorted();
    expect(names.length).toBeGreaterThan(50);
    const kernel = Spec.parse(readFileSync('/sys/kernel/btf/vmlinux'));
    const outcomes = names.flatMap((name) => {
      const object = parseBpfObject(readFileSync(join(objects, name)));
      return resolveRelocations(object, { kernel }).relocations.map(({ outcome }) => outcome);
    });
    const { stdout } = await run(join(BIN, 'libbpf-objects'), ['/sys/kernel/btf/vmlinux', objects, '2']);
    const printed: ObjectsOutput = JSON.parse(stdout);
    expect(printed.result).toBe(String(outcomes.filter((outcome) => outcome !== 'SKIPPED').length));
    expect(printed.objects.map(({ name }) => name)).toEqual(names);
    for (const { cpuUs } of [printed.together, ...printed.objects]) expect(cpuUs).toHaveLength(2);
  },
);

needs('bench-peers', 'vmlinux', 'bpf').describe('The service and the load generator in Go', () => {
  let server: ChildProcess;

  beforeAll(async () => {
    const builder = new Builder();
    builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
    writeFileSync(tiny, builder.marshal());
    server = spawn(join(BIN, 'go-service'), ['--address', service], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(server.stdout ?? server, 'data');
    expect(String(line)).toBe('listening\n');
  });

  afterAll(async () => {
    const exited = once(server, 'exit');
    server.kill();
    await exited;
  });

  test.each(['libbpf-driver', 'cilium-driver'])(
    '%s loads BTF into the kernel and closes it',
    async (driver) => {
      expect((await drive(driver, 'load-close', tiny, 5)).result).toBe('5');
    },
  );

  test('make every call of every scenario', async () => {
    const info = methodArgs(getServerInfo, {});
    expect(await call('unary', '--requests', '40', '--in-flight', '4', ...info)).toMatchObject({
      calls: 40,
      errors: 0,
      messages: 40,
    });
    expect(await call('connect', '--requests', '3', '--connections', '5', ...info)).toMatchObject({
      calls: 15,
      errors: 0,
      messages: 15,
    });
    const raw = await call('stream', '--requests', '2', ...methodArgs(specMethod, { source: VMLINUX }));
    expect(raw).toMatchObject({ calls: 2, errors: 0 });
    expect(raw['bytes']).toBeGreaterThan(2 * readFileSync('/sys/kernel/btf/vmlinux').length);
    const load = ['--requests', '6', '--in-flight', '2', '--connections', '2', '--file', tiny];
    expect(await call('load-close', ...load)).toMatchObject({ calls: 6, errors: 0, messages: 12 });
    expect(await call('task', '--requests', '2', '--file', tiny)).toMatchObject({ calls: 2, errors: 0 });
    // The first object is the kernel's own, or that of a module.
    const id = String(btfGetNextId(0));
    expect(await call('get-close', '--id', id, '--requests', '6')).toMatchObject({ calls: 6, messages: 12 });
  });

  test('count errors of an allowed code, and stop at any other', async () => {
    const missing = ['--id', '4294967295', '--requests', '3'];
    await expect(call('get-close', ...missing)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no BTF object has the id 4294967295'),
    });
    expect(await call('get-close', ...missing, '--allow-code', 'NOT_FOUND')).toMatchObject({
      calls: 3,
      errors: 3,
    });
  });

  test('respond as the daemon does, with types and with members', async () => {
    const address = parseAddress(`unix:${join(dir, 'btfd.sock')}`);
    const daemon = await startDaemon({
      addresses: [address],
      policy: { file: null },
      btfDir: null,
      kernel: addonKernel,
      logger: pino({ level: 'silent' }),
    });
    using ours = new Peer(`unix:${join(dir, 'btfd.sock')}`);
    using theirs = new Peer(service);
    try {
      const paths = [
        ['task_struct.mm.pgd', 'task_struct.cred.uid.val', 'task_struct.comm[2]', 'struct sk_buff.cb'],
        ['list_head.next.prev', 'task_struct.sched_reset_on_fork', 'file_operations.read'],
      ].flat();
      expect(await theirs.members(paths)).toEqual(await ours.members(paths));
      for (const name of ['list_head', 'task_struct']) {
        const selection = { names: [name], closure: true };
        const types = await theirs.types({ selection });
        expect(types.length).toBeGreaterThan(1);
        expect(types).toEqual(await ours.types({ selection }));
      }
      const selection = { names: ['nonsense'], kinds: [4], ids: [1, 2, 3] };
      expect(await theirs.types({ selection })).toEqual(await ours.types({ selection }));
    } finally {
      await daemon.stop();
    }
  });
});

/** Peer is a client of a server of the contract. */
class Peer implements Disposable {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), {
      'grpc.max_receive_message_length': -1,
    });
  }

  async members(paths: readonly string[]): Promise<MessageShape<typeof resolveMembers.output>> {
    const request = encode(resolveMembers.input, { source: VMLINUX, paths: [...paths] });
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        '/btf.v1.BtfService/ResolveMembers',
        (bytes: Buffer) => bytes,
        (bytes) => fromBinary(resolveMembers.output, new Uint8Array(bytes)),
        request,
        (error, response) => {
          if (error !== null || response === undefined) reject(error ?? new Error('no response'));
          else resolve(response);
        },
      );
    });
  }

  /** Returns the header, and all types as JSON. */
  async types(init: MessageInitShape<typeof SpecRequestSchema>): Promise<unknown[]> {
    const request = encode(specMethod.input, { source: VMLINUX, encoding: Encoding.TYPES, ...init });
    const stream = this.#client.makeServerStreamRequest(
      '/btf.v1.BtfService/Spec',
      (bytes: Buffer) => bytes,
      (bytes) => fromBinary(specMethod.output, new Uint8Array(bytes)),
      request,
    );
    const all: unknown[] = [];
    for await (const { part } of stream as AsyncIterable<MessageShape<typeof specMethod.output>>) {
      if (part.case === 'types') all.push(...part.value.types);
      else all.push(part.value);
    }
    return all;
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
