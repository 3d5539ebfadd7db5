import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Builder, Kind } from '@btfd/btf';
import { BtfClient, BtfError, type Handle } from '@btfd/client';
import { FakeDaemon } from '@btfd/client/testing';
import { DaemonProcess } from './testing/daemon-process.js';
import { intBtf, rawBtf, refusedBtf } from './testing/sample-btf.js';

const PLAIN_PATHS = ['task_struct.mm.pgd', 'list_head.nexd', 'nope.x', '', 'sk_buff.cb[3]'];
/** Paths with names that several structs have in many kernels. */
const REPEATED_NAMES = ['console.data', 'dir_entry.list', 'elf_note_info.thread.next', 'irq_info'];
const IDS_AND_OTHERS = ['1', '99999999.x', 'schedule.x', 'list_head.next.next.next[0]'];

/** Observations of a daemon that do not depend on other objects in the kernel. */
const SCENARIOS: Record<string, (client: BtfClient) => Promise<unknown>> = {
  'the server info': async (client) => {
    const { mode, operations, capabilities, features, caller } = await client.serverInfo();
    return { mode, operations, capabilities, features, caller };
  },
  'the list of objects': async (client) => {
    const objects = await client.listObjects({ nameGlobs: ['vm[a-z]*?ux'], details: ['digest'] });
    return objects.map(({ name, origin, isKernel, size, digest, users, id }) => [
      name,
      origin,
      isKernel,
      size,
      digest,
      users,
      id > 0,
    ]);
  },
  'the matches of globs': async (client) => {
    const list = async (glob: string) => client.listObjects({ nameGlobs: [glob], origins: ['vmlinux'] });
    const seen = GLOBS.map(async (glob) => [glob, await list(glob).then(({ length }) => length, codeOf)]);
    return Promise.all(seen);
  },
  'a watch': async (client) => {
    const seen: unknown[] = [];
    for await (const event of client.watchHandles({
      origins: ['vmlinux', 'user'],
      nameGlobs: ['vm*', '?'],
    })) {
      seen.push(event.type === 'synced' ? event : [event.type, event.info.name, event.info.removed]);
      if (event.type === 'synced') break;
    }
    return seen;
  },
  'a load in a watch': async (client) => {
    const seen: unknown[] = [];
    let handle: Handle | null = null;
    for await (const event of client.watchHandles({ origins: ['user'] })) {
      if (event.type === 'synced') {
        handle = await client.loadHandle(intBtf(1, 'watched'));
      } else if (event.info.id === handle?.info.id) {
        seen.push([event.type, event.info.removed, event.info.size]);
        if (event.type === 'removed') break;
        await handle.close();
      }
    }
    return seen;
  },
  'a list that matches nothing': async (client) => client.listObjects({ nameGlobs: ['no such*'] }),
  'an iteration': async (client) => {
    const seen: unknown[] = [];
    for await (const handle of client.iterateHandles({ origins: ['vmlinux'] })) {
      seen.push(handle.info.name, await handle.inspect());
      const taken = await handle.take({ ttl: 20_000 });
      seen.push(taken.grantedTtl, taken === (await handle.take()));
      await taken.close();
    }
    return seen;
  },
  'a whole spec': async (client) => {
    const spec = await client.spec('vmlinux');
    return [spec.bytes.length, spec.endTypeId, spec.byteOrder];
  },
  'a selection': async (client) => {
    await using handle = await client.findHandle((info) => info.isVmlinux);
    const { spec, notFound } = await handle.selectTypes({
      names: ['list_head', 'no_such'],
      nameGlobs: ['hlist_*', 'no_such*'],
      ids: [1, 4_000_000],
      kinds: [Kind.STRUCT, Kind.INT],
    });
    return [Buffer.from(spec.bytes).toString('hex'), notFound];
  },
  'a C header': async (client) => client.cHeader('vmlinux', { names: ['task_struct', 'list_head'] }),
  'a C header of an unknown name': async (client) => reasonOf(client.cHeader('vmlinux', { names: ['nope'] })),
  members: async (client) =>
    client.resolveMembers('vmlinux', [...PLAIN_PATHS, ...REPEATED_NAMES, ...IDS_AND_OTHERS]),
  'an unknown name': async (client) => reasonOf(client.spec('nope')),
  'an unknown id': async (client) => reasonOf(client.getHandleById(2 ** 31 - 2)),
  'a load': async (client) => {
    const handle = await client.loadHandle(intBtf(2, 'mine'), { ttl: 20_000 });
    const { info, grantedTtl } = await handle.inspect();
    const clone = await handle.clone();
    await handle.close();
    const names = [...(await clone.spec()).types()].map(({ name }) => name);
    await clone.close();
    const isGone = (await client.listObjects()).every(({ id }) => id !== info.id);
    return [{ ...info, id: info.id > 0 }, grantedTtl, names, isGone];
  },
  'a load of a builder': async (client) => {
    const builder = new Builder();
    const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
    builder.add({ kind: 'PTR', typeId: int });
    await using handle = await client.loadHandle(builder);
    return [...(await handle.spec()).types()].map(({ kind }) => kind);
  },
  'a refusal': async (client) => {
    // An integer of 4 bytes with 33 bits.
    const refused = rawBtf([1, 1 << 24, 4, 33], '\0bad\0');
    const { rejection } = await client.tryLoadHandle(refused);
    const error = await errorOf(client.loadHandle(refused));
    const lastWords = (text: string | undefined) => /nr_bits exceeds type_size\n$/.exec(text ?? '')?.[0];
    return [
      rejection?.errnoName,
      lastWords(rejection?.log.text),
      rejection?.log.truncated,
      [error.code, error.reason, error.metadata['errno'], lastWords(error.verifierLog?.text)],
    ];
  },
  'a refusal of malformed BTF': async (client) => reasonOf(client.loadHandle(refusedBtf(2, 'bad'))),
  'a load of bytes that are not BTF': async (client) => reasonOf(client.loadHandle(new Uint8Array(30))),
  'BTF that is too large': async (client) =>
    reasonOf(client.loadHandle(new Uint8Array(16 * 1024 * 1024 + 1))),
  'a TTL of 0': async (client) => reasonOf(client.getHandleById(1, { ttl: 0 })),
  'a handle that is closed twice': async (client) => {
    const handle = await client.getHandleById(1);
    await handle.close();
    await handle.close();
    return reasonOf(handle.spec());
  },
};

/** Globs to match against the name `vmlinux`. */
const GLOBS: readonly string[] =
  `vmlinux vml * ** ? ??????? vm*x *linu vmlin[a-z]x vmlin[!a-z]x vmlin[!v]x [uv]mlinux [z-a]mlinux [!z-a]mlinux
   vmlin[]u]x vmlin[u-]x vmlin[-u]x vmlin[^a]x vmlin\\ux [ vm[ [] [!] .*`.split(/\s+/);

function codeOf(error: unknown): unknown {
  return BtfError.from(error).codeName;
}

async function errorOf(call: Promise<unknown>): Promise<BtfError> {
  try {
    await call;
  } catch (error) {
    return BtfError.from(error);
  }
  throw new Error('the call succeeded');
}

async function reasonOf(call: Promise<unknown>): Promise<unknown> {
  const { code, reason } = await errorOf(call);
  return [code, reason];
}

needs('bpf').describe('a fake daemon of this kernel', () => {
  let real: DaemonProcess;
  let fake: FakeDaemon;
  let clients: readonly [BtfClient, BtfClient];

  beforeAll(async () => {
    real = await DaemonProcess.start();
    const btf = new Uint8Array(readFileSync('/sys/kernel/btf/vmlinux'));
    fake = await FakeDaemon.start({ objects: [{ name: 'vmlinux', btf }] });
    // A busy machine may exceed the default.
    const options = { timeout: 240_000 };
    clients = [new BtfClient(real.address, options), new BtfClient(fake.address, options)];
  });

  afterAll(async () => {
    for (const client of clients) await client.close();
    await fake.stop();
    await real[Symbol.asyncDispose]();
  });

  test.each(Object.entries(SCENARIOS))('shows %s as the daemon does', async (_, see) => {
    const [ofReal, ofFake] = [await see(clients[0]), await see(clients[1])];
    expect(ofFake).toEqual(ofReal);
  });
});
