import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { merge } from '../build/merge.js';
import { Spec } from '../spec.js';
import { VMLINUX } from '../testing/bpftool.js';
import { compile } from '../testing/c-compiler.js';
import { roundTrip, type RoundTrip } from '../testing/c-round-trip.js';
import { kernels, readSpec } from '../testing/corpus.js';
import { randomCTypes } from '../testing/random-c-types.js';
import { printC } from './print-c.js';

const CORPUS = kernels('corpus');

/** The number of modules in one header. Their types are not deduplicated, so that all are compared. */
const MODULES = 32;

/** Programs that read members from all over the kernel. The BTF for them has few members of each type. */
const READS: readonly (readonly [type: string, expression: string])[] = [
  ['siginfo', 'p->_sifields._kill._pid + p->si_code'],
  ['task_struct', 'p->mm->arg_start + p->real_parent->tgid + p->signal->nr_threads + p->thread.sp'],
  ['sk_buff', 'p->len + p->pkt_type + p->sk->__sk_common.skc_family + p->users.refs.counter'],
  ['page', 'p->_refcount.counter + p->_mapcount.counter'],
  ['net_device', 'p->mtu + p->nd_net.net->hash_mix'],
  ['inode', 'p->i_ino + p->i_sb->s_dev + p->i_mapping->nrpages'],
];

needs('gcc', 'pahole').describe('the layout of printed C', () => {
  test('is that of the vmlinux and of all modules of Linux 6.1, 6.12, 6.18 and 7', () => {
    expect(CORPUS).toHaveLength(4);
  });

  test.each(CORPUS)('is that of the vmlinux of $release', ({ release, vmlinux }) => {
    const spec = readSpec(vmlinux);
    report(release, [roundTrip(spec)]);
    expect(compile('gcc', printC(spec, { assertions: true }))).toEqual([]);
  });

  test.each(CORPUS)('is that of all modules of $release', ({ release, vmlinux, modules, path }) => {
    const base = readSpec(vmlinux);
    const results: RoundTrip[] = [];
    for (let at = 0; at < modules.length; at += MODULES) {
      const specs = modules.slice(at, at + MODULES).map((name) => readSpec(path(name), base));
      results.push(roundTrip(Spec.parse(merge(specs, { base }).bytes, { base })));
    }
    report(`${modules.length} modules of ${release}`, results);
  });

  needs('vmlinux', 'clang', 'bpftool').test('is that of BTF with few members of each type', () => {
    const header = printC(readSpec(VMLINUX));
    const results = READS.map((read) => roundTrip(minimal(header, read)));
    report('min_core_btf', results);
  });

  test('is that of random BTF', () => {
    const results: RoundTrip[] = [];
    for (let seed = 1; seed < 600; seed += 2) results.push(roundTrip(Spec.parse(randomCTypes(seed, 300))));
    const types = results.reduce((total, result) => total + result.types, 0);
    const bytes = results.reduce((total, result) => total + result.bytes, 0);
    console.info(`random BTF: ${types} types, ${bytes} as bytes`);
    expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(types).toBeGreaterThan(30_000);
  });
});

needs('clang').describe('the asserted layout', () => {
  test.each(CORPUS)('of the vmlinux of $release holds in clang, for BPF', ({ vmlinux }) => {
    const text = printC(readSpec(vmlinux), { assertions: true });
    expect(compile('clang', text, ['-target', 'bpf', '-g'])).toEqual([]);
    expect(compile('clang', text)).toEqual([]);
  });
});

/** Expects that no type is wrong and none is bytes, and prints the counts. */
function report(what: string, results: readonly RoundTrip[]): void {
  const types = results.reduce((total, result) => total + result.types, 0);
  console.info(`${what}: ${types} types`);
  expect(types).toBeGreaterThan(results.length * 2);
  expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(results.reduce((total, { bytes }) => total + bytes, 0)).toBe(0);
}

/** Returns the part of the running kernel's BTF that a program needs to read members. */
function minimal(header: string, [type, expression]: (typeof READS)[number]): Spec {
  const folder = mkdtempSync(join(tmpdir(), 'btf-minimal-'));
  try {
    const [source, object, btf] = ['program.c', 'program.o', 'btf'].map((name) => join(folder, name));
    const program = `
long read_it(struct ${type} *p) __attribute__((section("raw_tp/sys_enter"), used));
long read_it(struct ${type} *p) { return ${expression}; }
char gpl[] __attribute__((section("license"), used)) = "GPL";
`;
    writeFileSync(source ?? '', header + program);
    execFileSync('clang', ['-target', 'bpf', '-O2', '-g', '-w', '-c', source ?? '', '-o', object ?? '']);
    execFileSync('bpftool', ['gen', 'min_core_btf', VMLINUX, btf ?? '', object ?? '']);
    return readSpec(btf ?? '');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
