import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { BtfClient } from '@btfd/client';
import { btfctl } from './testing/btfctl.js';
import { DaemonProcess } from './testing/daemon-process.js';

const TESTDATA = fileURLToPath(new URL('../../btf/src/object/testdata/', import.meta.url));
const NOT_CHECKED = '. Its programs and relocations were not checked: see btfctl compat\n';

const objectFile = (name: string): string => join(TESTDATA, `${name}.bpf.o`);

/** Objects whose BTF libbpf loads, even if this kernel rejects the programs or has not all their symbols. */
const LOADED = ['externs', 'variables', 'linked', 'struct-ops', 'ksyms', 'kconfig', 'extern-ksym-kconfig'];

needs('bpf').describe('the object file of a BPF program', () => {
  let daemon: DaemonProcess;
  let client: BtfClient;

  beforeAll(async () => {
    daemon = await DaemonProcess.start();
    client = new BtfClient(daemon.address);
  });
  afterAll(async () => {
    await client.close();
    await daemon[Symbol.asyncDispose]();
  });

  const check = (path: string) => btfctl(['check', path], { BTFD_ADDRESS: daemon.address });

  test.each([...LOADED, 'no-int'])('%s.bpf.o has BTF that the kernel accepts', async (name) => {
    const path = objectFile(name);
    const ran = await check(path);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toMatch(/: BTF accepted, [\d,]+ types in [\d,]+ bytes\. /);
    expect(ran.stdout).toContain(`${path}: BTF accepted, `);
    expect(ran.stdout).toContain(NOT_CHECKED);
    await using handle = await client.loadHandle(readFileSync(path));
    expect(handle.info.id).toBeGreaterThan(0);
  });

  test('that is only a part is rejected with the command that links it', async () => {
    const path = objectFile('part');
    expect(await check(path)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(`${path}: function sum is extern: link this object`),
    });
  });

  needs('libbpf', 'gcc').describe('gives the kernel the same bytes as libbpf does', () => {
    let dir: string;

    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'object-load-'));
      const source = join(TESTDATA, 'open-object.c');
      execFileSync('gcc', ['-O1', '-o', join(dir, 'open-object'), source, '-l:libbpf.so.1'], {
        stdio: 'pipe',
      });
    });
    afterAll(() => rmSync(dir, { recursive: true }));

    test.each(LOADED)('%s.bpf.o', async (name) => {
      const out = join(dir, name);
      // Its status says whether libbpf loaded the BTF. A rejected program does not change that.
      const { status } = spawnSync(join(dir, 'open-object'), ['load', objectFile(name), out]);
      await using handle = await client.loadHandle(readFileSync(objectFile(name)));
      // libbpf does not load BTF if this kernel lacks a strong symbol of the object.
      const theirs = status === 0 ? readFileSync(out) : readFileSync(join(TESTDATA, `${name}.btf`));
      expect(await handle.rawBtf()).toEqual(new Uint8Array(theirs));
    });
  });
});
