import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { BtfFormatError } from '../format-error.js';
import { BtfAssembler } from '../testing/assemble-btf.js';
import { assembleElf } from '../testing/assemble-elf.js';
import { assembleCoreObject, EXIT } from '../testing/assemble-ext.js';
import { Kind } from '../types.js';
import { parseBpfObject, readBtfExt } from './bpf-object.js';
import { readCalls } from './calls.js';
import { compactObject } from './compact.js';
import { findBpfObjects } from './embedded.js';
import { readExterns } from './extern-symbols.js';
import { readMaps } from './maps.js';
import { prepareBtf } from './prepare-btf.js';
import { readPrograms } from './programs.js';
import { SECTION_NAMES, sectionNameOf } from './section-names.js';

function testFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`testdata/${name}.bpf.o`, import.meta.url)));
}

function small(order: 'little' | 'big' = 'little'): Uint8Array {
  const btf = new BtfAssembler(order).type(Kind.STRUCT, 's', { sizeOrTypeId: 4 });
  const relocations = [{ instruction: 0, typeId: 1, access: '0', kind: 'TYPE_SIZE' }] as const;
  return assembleCoreObject(order, btf, [
    { name: 'f', instructions: [{ opcode: 0xb7, immediate: 4 }, EXIT], relocations },
  ]);
}

describe('findBpfObjects', () => {
  const [one, two] = [small(), small('big')];

  test('finds the objects in a file, and not what only looks like one', () => {
    const native = assembleElf(64, 'little', []);
    new DataView(native.buffer).setUint16(18, 62, true);
    const cut = one.subarray(0, 100);
    const file = new Uint8Array(Buffer.concat([native, one, Buffer.from([0x7f, 0x45]), two, cut]));
    expect(findBpfObjects(file)).toEqual([
      { offset: native.length, bytes: one },
      { offset: native.length + one.length + 2, bytes: two },
    ]);
  });

  test('finds an object alone, and none in an empty file', () => {
    expect(findBpfObjects(one)).toEqual([{ offset: 0, bytes: one }]);
    expect(findBpfObjects(new Uint8Array(0))).toEqual([]);
  });

  test('ends for a file that is full of headers', () => {
    const headers = new Uint8Array(1 << 22);
    const header = one.slice(0, 64);
    const view = new DataView(header.buffer);
    view.setBigUint64(40, 64n, true);
    view.setUint16(60, 4096, true);
    view.setUint16(62, 1, true);
    // Between the headers, sections that end after the end of the file.
    const section = new Uint8Array(64);
    section.set([1], 4);
    section.set([1], 30);
    for (let at = 0; at < headers.length; at += 128) {
      headers.set(header, at);
      headers.set(section, at + 64);
    }
    expect(() => findBpfObjects(headers)).toThrow(/more than 1048576 section headers/);
  });
});

describe('compactObject', () => {
  test.each(['externs', 'rest-eb', 'linked', 'struct-ops'])(
    'leaves out only what is not used of %s',
    (name) => {
      const file = testFile(name);
      const compact = compactObject(file);
      expect(compact.length).toBeLessThanOrEqual(file.length);
      const [before, after] = [parseBpfObject(file), parseBpfObject(compact)];
      expect(after.symbols).toEqual(before.symbols);
      expect(prepareBtf(after)).toEqual(prepareBtf(before));
      expect(readBtfExt(after)?.relocations).toEqual(readBtfExt(before)?.relocations);
      expect(readPrograms(after).map(({ bytes }) => bytes)).toEqual(
        readPrograms(before).map(({ bytes }) => bytes),
      );
      expect(names(readCalls(after, readPrograms(after)))).toEqual(
        names(readCalls(before, readPrograms(before))),
      );
      expect(compactObject(compact).length).toBeLessThanOrEqual(compact.length);
    },
  );

  test('leaves out DWARF', () => {
    const debug = { name: '.debug_info', bytes: new Uint8Array(5000) };
    const btf = new BtfAssembler('little');
    const file = assembleCoreObject('little', btf, [{ name: 'f', instructions: [EXIT] }], {
      sections: [debug],
    });
    expect(compactObject(file).length).toBeLessThan(file.length - 4900);
  });

  test('rejects another file', () => {
    expect(() => compactObject(assembleElf(32, 'little', []))).toThrow(
      /is not an object file of BPF programs/,
    );
  });

  const names = (calls: ReturnType<typeof readCalls>): string[] =>
    [...calls].map(([{ name }, called]) => `${name}: ${[...called].map((callee) => callee.name).join(' ')}`);
});

test('the externs of an object are those that its source declares', () => {
  const shown = readExterns(parseBpfObject(testFile('externs'))).map(
    ({ name, kind, section, weak }) => `${section} ${kind} ${name}${weak ? ' weak' : ''}`,
  );
  expect(shown).toMatchInlineSnapshot(`
    [
      ".ksyms FUNC bpf_task_from_pid",
      ".ksyms FUNC bpf_task_release",
      ".ksyms FUNC bpf_absent_kfunc weak",
      ".ksyms VAR bpf_absent weak",
      ".ksyms VAR schedule",
      ".ksyms VAR runqueues",
      ".ksyms VAR bpf_prog_active weak",
      ".kconfig VAR LINUX_KERNEL_VERSION",
      ".kconfig VAR CONFIG_BPF_SYSCALL weak",
      ".kconfig VAR CONFIG_ABSENT weak",
      ".kconfig VAR CONFIG_HZ weak",
      ".kconfig VAR CONFIG_CC_VERSION_TEXT weak",
      ".kconfig VAR CONFIG_A weak",
      ".kconfig VAR CONFIG_B weak",
    ]
  `);
});

test('the maps of an object are those that its source defines', () => {
  expect(
    readMaps(parseBpfObject(testFile('externs'))).map(({ name, mapType, maxEntries }) => [
      name,
      mapType,
      maxEntries,
    ]),
  ).toEqual([['values', 2, 1]]);
});

describe('sectionNameOf', () => {
  test.each([
    ['kprobe', 'KPROBE', null, false],
    ['kprobe/vfs_read', 'KPROBE', null, false],
    ['?fentry.s/do_unlinkat', 'TRACING', 'TRACE_FENTRY', true],
    ['fentry.multi.s/a*', 'TRACING', 'TRACE_FENTRY_MULTI', true],
    ['xdp.frags/devmap', 'XDP', 'XDP_DEVMAP', false],
    ['syscall', 'SYSCALL', null, true],
    ['cgroup/connect4', 'CGROUP_SOCK_ADDR', 'CGROUP_INET4_CONNECT', false],
    ['struct_ops.s/init', 'STRUCT_OPS', null, true],
  ])('knows %s', (section, programType, attachType, sleepable) => {
    expect(sectionNameOf(section)).toMatchObject({ programType, attachType, sleepable });
  });

  test.each(['kprobes', 'xdp/other', 'tc/', '', '.text', 'kprob'])('does not know "%s"', (section) => {
    expect(sectionNameOf(section)).toBeNull();
  });

  test('has each name once', () => {
    const names = SECTION_NAMES.map(({ prefix }) => prefix);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBe(116);
  });
});

test.each(['little', 'big'] as const)('each beginning of a %s-endian object is read or rejected', (order) => {
  const whole = small(order);
  for (let length = 0; length < whole.length; length++) {
    try {
      const object = parseBpfObject(whole.slice(0, length));
      readBtfExt(object);
      readCalls(object, readPrograms(object));
      readExterns(object);
      readMaps(object);
      throw new Error(`the first ${length} bytes of ${whole.length} are an object`);
    } catch (error) {
      expect(error).toBeInstanceOf(BtfFormatError);
    }
    expect(findBpfObjects(whole.slice(0, length))).toEqual([]);
  }
});
