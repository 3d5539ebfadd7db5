import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { Spec } from '../spec.js';
import { assembleAllKinds } from '../testing/all-kinds.js';
import { VMLINUX } from '../testing/bpftool.js';
import { printRaw, toBpftoolJson } from './bpftool.js';

needs('vmlinux', 'bpftool').describe('the raw lines and JSON', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'btf-raw-'));
    writeFileSync(join(folder, 'all-kinds'), assembleAllKinds('little').bytes());
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(['all kinds', 'the running kernel'])('of %s equal those of bpftool, byte for byte', (what) => {
    const path = what === 'all kinds' ? join(folder, 'all-kinds') : VMLINUX;
    const spec = Spec.parse(new Uint8Array(readFileSync(path)));
    const types = [...spec];
    const raw = types.map((type) => `${printRaw(type, spec)}\n`).join('');
    const json = `{"types":[${types.map(toBpftoolJson).join(',')}]}`;
    expect(firstDifference(raw, bpftool('btf', 'dump', 'file', path, 'format', 'raw'))).toBeNull();
    expect(firstDifference(json, bpftool('-j', 'btf', 'dump', 'file', path).trimEnd())).toBeNull();
  });
});

function bpftool(...args: string[]): string {
  return execFileSync('bpftool', args, { encoding: 'utf8', maxBuffer: 1 << 28 });
}

/** Compares texts of megabytes without printing them whole. */
function firstDifference(ours: string, theirs: string): string[] | null {
  if (ours === theirs) return null;
  let at = 0;
  while (ours[at] === theirs[at]) at++;
  return [ours, theirs].map((text) => text.slice(Math.max(0, at - 40), at + 80));
}
