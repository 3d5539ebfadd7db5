import { describe, expect, test } from '@jest/globals';
import { ErrorReason } from '@btfd/api';
import { intBtf } from '../testing/btf-bytes.js';
import { bpfError, FakeKernel } from '../testing/fake-kernel.js';
import { failureOf } from '../testing/service-error.js';
import { TempDir } from '../testing/temp-dir.js';
import { withToken, type MakeToken, type TokenCalls } from './token-kernel.js';

const eperm = {
  load: bpfError('BPF_BTF_LOAD', 'EPERM'),
  open: bpfError('BPF_BTF_GET_FD_BY_ID', 'EPERM'),
  nextId: bpfError('BPF_BTF_GET_NEXT_ID', 'EPERM'),
};

/** A token that calls a kernel, or fails. */
class FakeToken implements TokenCalls {
  isOpen = true;
  readonly #kernel: FakeKernel;
  readonly #failures: { readonly load?: Error; readonly open?: Error };

  constructor(kernel: FakeKernel, failures: { readonly load?: Error; readonly open?: Error }) {
    this.#kernel = kernel;
    this.#failures = failures;
  }

  async load(bytes: Uint8Array, logSize: number): ReturnType<TokenCalls['load']> {
    if (this.#failures.load !== undefined) throw this.#failures.load;
    return this.#kernel.load(bytes, logSize);
  }

  open(id: number): ReturnType<TokenCalls['open']> {
    if (this.#failures.open !== undefined) throw this.#failures.open;
    return this.#kernel.open(id);
  }

  close(): void {
    this.isOpen = false;
  }
}

/** A kernel that refuses everything without a token, and the kernel that tokens use. */
function userNamespace(failures: ConstructorParameters<typeof FakeToken>[1] = {}) {
  const initial = new FakeKernel();
  const kernel = new FakeKernel();
  Object.assign(kernel.failures, eperm);
  const tokens: FakeToken[] = [];
  const makeToken: MakeToken = () => {
    const token = new FakeToken(initial, failures);
    tokens.push(token);
    return token;
  };
  return { kernel, initial, makeToken, tokens };
}

/** Refuses to make tokens. A kernel that knows tokens looks at the file descriptor. */
const refusing =
  (code: string, knowsTokens = true): MakeToken =>
  (fd) => {
    throw bpfError('BPF_TOKEN_CREATE', knowsTokens && fd === 0x7fff_ffff ? 'EBADF' : code);
  };

describe('A kernel with a BPF token', () => {
  test('loads and opens with the token, and does not list ids', async () => {
    using dir = new TempDir();
    const { kernel, initial, makeToken, tokens } = userNamespace();
    const id = initial.add('vmlinux', intBtf());
    const withIt = await withToken(dir.path, kernel, makeToken);
    const loaded = await withIt.load(intBtf('x'), 128);
    expect(initial.loads.at(-1)).toEqual({ bytes: intBtf('x'), logSize: 128 });
    const opened = withIt.open(id);
    expect(opened.info().name).toBe('vmlinux');
    for (const object of [loaded, opened]) object.close();
    const error = await failureOf(async () => withIt.nextId(0));
    expect(error).toMatchObject({
      reason: ErrorReason.DAEMON_LACKS_CAPABILITY,
      message: expect.stringContaining('takes no BPF token for BPF_BTF_GET_NEXT_ID'),
      metadata: { command: 'BPF_BTF_GET_NEXT_ID', errno_name: 'EPERM' },
    });
    expect(initial.openCount).toBe(0);
    expect(tokens.map(({ isOpen }) => isOpen)).toEqual([true]);
  });

  test.each<[string, Error, boolean, ErrorReason, string]>([
    [
      'the kernel takes no token for it',
      bpfError('BPF_BTF_GET_FD_BY_ID', 'EINVAL'),
      true,
      ErrorReason.KERNEL_LACKS_SUPPORT,
      'Linux 6.15 does',
    ],
    [
      'the bpffs does not delegate it',
      eperm.open,
      true,
      ErrorReason.DAEMON_LACKS_CAPABILITY,
      'mount it with delegate_cmds=0xc0000',
    ],
    [
      'the daemon lacks CAP_SYS_ADMIN in its namespace',
      eperm.open,
      false,
      ErrorReason.DAEMON_LACKS_CAPABILITY,
      'lacks CAP_SYS_ADMIN in its user namespace',
    ],
  ])('refuses to open, but loads, if %s', async (_, open, sysAdmin, reason, message) => {
    using dir = new TempDir();
    const { kernel, makeToken } = userNamespace({ open });
    kernel.granted = { sysAdmin, bpf: true };
    const withIt = await withToken(dir.path, kernel, makeToken);
    (await withIt.load(intBtf(), 0)).close();
    const error = await failureOf(async () => withIt.open(1));
    expect(error).toMatchObject({ reason, message: expect.stringContaining(message) });
  });

  test('closes the token if loading is not delegated, and says how to mount the bpffs', async () => {
    using dir = new TempDir();
    const { kernel, makeToken, tokens } = userNamespace({ load: eperm.load });
    await expect(withToken(dir.path, kernel, makeToken)).rejects.toThrow(
      `cannot use a BPF token of ${dir.path}: the bpffs does not delegate BPF_BTF_LOAD: mount it with delegate_cmds=0x40000`,
    );
    expect(tokens.map(({ isOpen }) => isOpen)).toEqual([false]);
  });

  test.each<[string, Error]>([
    ['load', bpfError('BPF_BTF_LOAD', 'ENOMEM')],
    ['open', bpfError('BPF_BTF_GET_FD_BY_ID', 'EMFILE')],
  ])('closes the token after a failure to %s that may not last', async (call, failure) => {
    using dir = new TempDir();
    const { kernel, makeToken, tokens } = userNamespace({ [call]: failure });
    await expect(withToken(dir.path, kernel, makeToken)).rejects.toThrow(failure.message);
    expect(tokens.map(({ isOpen }) => isOpen)).toEqual([false]);
  });

  test.each<[string, MakeToken, boolean, string]>([
    ['another file system', refusing('EINVAL'), true, 'not the top folder of a bpffs: name the folder'],
    ['Linux before 6.9', refusing('EINVAL', false), true, 'the kernel has no BPF tokens (Linux 6.9 has)'],
    ['nothing delegated', refusing('ENOENT'), true, 'delegates nothing: mount it with delegate_cmds=0x40000'],
    ['no right to enter', refusing('EACCES'), true, 'may not enter the folder: change its owner or mode'],
    ['the initial user namespace', refusing('ENOTSUP'), true, 'remove bpf-token, CAP_BPF is enough here'],
    ['another user namespace', refusing('EPERM'), true, 'belongs to another user namespace than the daemon'],
    ['no CAP_BPF', refusing('EPERM'), false, 'lacks CAP_BPF in its user namespace: run it with CAP_BPF'],
    ['no file descriptors', refusing('EMFILE'), true, 'BPF_TOKEN_CREATE: EMFILE (too many open files)'],
  ])('cannot be had with %s, and the error says why', async (_, makeToken, bpf, message) => {
    using dir = new TempDir();
    const kernel = new FakeKernel();
    kernel.granted = { sysAdmin: bpf, bpf };
    await expect(withToken(dir.path, kernel, makeToken)).rejects.toThrow(message);
  });

  test.each(['missing', 'file'])('cannot be had of a path that is not a folder: %s', async (name) => {
    using dir = new TempDir();
    dir.write('file', '');
    const { kernel, makeToken, tokens } = userNamespace();
    await expect(withToken(`${dir.path}/${name}`, kernel, makeToken)).rejects.toThrow(/ENOENT|ENOTDIR/);
    expect(tokens).toEqual([]);
  });
});
