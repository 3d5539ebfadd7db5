import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { needs } from 'test-tools';
import { fromBinary } from '@bufbuild/protobuf';
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BUF = join(ROOT, 'node_modules/.bin/buf');

/** The files of the contract, as in a clone in which nothing was installed. */
describe('the contract without node_modules', () => {
  let dir: string;

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'btfd-proto-'));
    for (const name of ['buf.yaml', 'buf.gen.yaml', 'proto']) {
      cpSync(join(ROOT, name), join(dir, name), { recursive: true });
    }
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  function build(...args: readonly string[]): FileDescriptorSet {
    const options = ['--as-file-descriptor-set', '--exclude-source-info', '-o', '-#format=binpb'];
    return fromBinary(
      FileDescriptorSetSchema,
      execFileSync(BUF, ['build', ...args, ...options], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] }),
    );
  }

  test.each([[[]], [['proto']]])('is built by buf build %j', (args) => {
    const names = build(...args).file.map(({ name }) => name);
    const own = readdirSync(join(ROOT, 'proto/btf/v1')).map((name) => `btf/v1/${name}`);
    expect(names).toEqual(expect.arrayContaining([...own, 'google/rpc/status.proto']));
    expect(names.filter((name) => !/^(?:btf\/v1|google\/rpc|google\/protobuf)\//.test(name))).toEqual([]);
  });

  test('has packages for Go, Java and C# in each file', () => {
    const files = build('proto').file.filter(({ name }) => name.startsWith('btf/'));
    expect(files.map(({ options }) => options)).toEqual(
      files.map(() =>
        expect.objectContaining({
          goPackage: 'btfd/btf/v1;btfv1',
          javaPackage: 'btfd.btf.v1',
          javaMultipleFiles: true,
          csharpNamespace: 'Btfd.Btf.V1',
        }),
      ),
    );
  });

  needs('protoc', 'libprotobuf-dev').test('is compiled by protoc to Java, C# and C++', () => {
    for (const language of ['java', 'csharp', 'cpp']) {
      const out = join(dir, language);
      mkdirSync(out);
      const files = readdirSync(join(dir, 'proto/btf/v1')).map((name) => join(dir, 'proto/btf/v1', name));
      execFileSync('protoc', [`-I${join(dir, 'proto')}`, `--${language}_out=${out}`, ...files]);
      expect(readdirSync(out, { recursive: true }).length).toBeGreaterThanOrEqual(files.length);
    }
  });
});
