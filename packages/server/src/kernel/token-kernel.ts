import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ErrorReason } from '@btfd/api';
import { BpfError } from '@btfd/native';
import { FILE_TURNS } from '../base/file-turns.js';
import { ServiceError } from '../error/service-error.js';
import { minimalBtf } from './access.js';
import type { BpfObjects, Kernel, KernelObject } from './kernel.js';

/** TokenCalls are the calls of bpf(2) that use a BPF token. They fail as those of a kernel do. */
export interface TokenCalls extends Pick<Kernel, 'load' | 'open'> {
  /** close releases the token. */
  close(): void;
}

/**
 * MakeToken makes a BPF token of an open bpffs.
 *
 * @throws BpfError if the kernel refuses.
 * @throws BpfUnavailableError if there is no bpf(2).
 */
export type MakeToken = (bpffsFd: number) => TokenCalls;

/** No process has this file descriptor. */
const CLOSED_FD = 0x7fff_ffff;
/** The values of the option `delegate_cmds` of a bpffs: one bit for each number of `enum bpf_cmd`. */
const DELEGATE_LOAD = 'delegate_cmds=0x40000 (BPF_BTF_LOAD)';
const DELEGATE_BOTH = 'delegate_cmds=0xc0000 (BPF_BTF_LOAD and BPF_BTF_GET_FD_BY_ID)';

/**
 * withToken returns a kernel that loads BTF with the BPF token of a bpffs, and opens objects by id with it if the kernel
 * and the bpffs allow that. Everything else works as in the given kernel. The token stays open as long as the process
 * lives. Requires CAP_BPF in the user namespace of the bpffs, and CAP_SYS_ADMIN there to open objects. Since Linux 6.9, and
 * 6.15 to open objects.
 *
 * Modelled on the tokens of cilium/ebpf, which uses them to load.
 *
 * @param path - the folder where the bpffs is mounted
 * @throws Error that says what to change, if no token can be made, or if it does not allow loading.
 */
export async function withToken(path: string, kernel: Kernel, makeToken: MakeToken): Promise<Kernel> {
  try {
    return await openTokenKernel(path, kernel, makeToken);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cannot use a BPF token of ${path}: ${why}`, { cause: error });
  }
}

async function openTokenKernel(path: string, kernel: Kernel, makeToken: MakeToken): Promise<TokenKernel> {
  const token = await openToken(path, kernel, makeToken);
  try {
    await requireLoad(token);
    return new TokenKernel(kernel, token, whyNotOpen(path, kernel, token));
  } catch (error) {
    token.close();
    throw error;
  }
}

async function openToken(path: string, kernel: Kernel, makeToken: MakeToken): Promise<TokenCalls> {
  // A file system that hangs must not hang the event loop.
  const folder = await FILE_TURNS.run(`opening ${path}`, async () =>
    open(path, constants.O_RDONLY | constants.O_DIRECTORY),
  );
  try {
    return makeToken(folder.fd);
  } catch (error) {
    const why = error instanceof BpfError ? whyNoToken(error.code, kernel, makeToken) : null;
    throw why === null ? error : new Error(why, { cause: error });
  } finally {
    await folder.close();
  }
}

/** Returns what is wrong if the kernel refuses to make a token with an errno, or null for other errors. */
function whyNoToken(code: string, kernel: Kernel, makeToken: MakeToken): string | null {
  switch (code) {
    case 'EINVAL':
      return knowsTokens(makeToken)
        ? 'it is not the top folder of a bpffs: name the folder where a bpffs is mounted'
        : 'the kernel has no BPF tokens (Linux 6.9 has): remove bpf-token, and run the daemon with CAP_BPF in the initial user namespace';
    case 'ENOENT':
      return `the bpffs delegates nothing: mount it with ${DELEGATE_LOAD}`;
    case 'EACCES':
      return 'the daemon may not enter the folder: change its owner or mode';
    case 'ENOTSUP':
      return 'the daemon runs in the initial user namespace, which has no BPF tokens: remove bpf-token, CAP_BPF is enough here';
    case 'EPERM':
      return kernel.capabilities().bpf
        ? 'the bpffs belongs to another user namespace than the daemon: call fsopen(2) for it in the namespace of the daemon (or a security module or seccomp filter forbids BPF_TOKEN_CREATE)'
        : 'the daemon lacks CAP_BPF in its user namespace: run it with CAP_BPF';
    default:
      return null;
  }
}

/** Returns whether the kernel knows tokens. One that does looks at the file descriptor. */
function knowsTokens(makeToken: MakeToken): boolean {
  try {
    makeToken(CLOSED_FD).close();
    return true;
  } catch (error) {
    return error instanceof BpfError && error.code === 'EBADF';
  }
}

/** The token was made, so the daemon has CAP_BPF: EPERM means that the token does not have the command. */
async function requireLoad(token: TokenCalls): Promise<void> {
  try {
    (await token.load(minimalBtf(), 0)).close();
  } catch (error) {
    if (!(error instanceof BpfError) || error.code !== 'EPERM') throw error;
    throw new Error(`the bpffs does not delegate BPF_BTF_LOAD: mount it with ${DELEGATE_LOAD}`, {
      cause: error,
    });
  }
}

/** Returns why objects cannot be opened with the token, or null if they can. No object has the id 0. */
function whyNotOpen(path: string, kernel: Kernel, token: TokenCalls): ServiceError | null {
  try {
    token.open(0).close();
    return null;
  } catch (error) {
    if (!(error instanceof BpfError)) throw error;
    switch (error.code) {
      case 'ENOENT':
        return null;
      case 'EINVAL':
        return unavailable(
          ErrorReason.KERNEL_LACKS_SUPPORT,
          'the kernel takes no BPF token for BPF_BTF_GET_FD_BY_ID (Linux 6.15 does)',
          error,
        );
      case 'EPERM':
        return unavailable(
          ErrorReason.DAEMON_LACKS_CAPABILITY,
          kernel.capabilities().sysAdmin
            ? `the bpffs at ${path} does not delegate BPF_BTF_GET_FD_BY_ID: mount it with ${DELEGATE_BOTH}`
            : 'the daemon lacks CAP_SYS_ADMIN in its user namespace, which BPF_BTF_GET_FD_BY_ID needs also with a BPF token',
          error,
        );
      default:
        throw error;
    }
  }
}

function unavailable(reason: ErrorReason, message: string, cause: BpfError): ServiceError {
  const metadata = { command: cause.command, errno_name: cause.code };
  return new ServiceError(reason, message, { metadata, cause });
}

/** TokenKernel is a kernel whose loads and opens use a BPF token. */
class TokenKernel implements Kernel {
  readonly programs: BpfObjects;
  readonly maps: BpfObjects;
  readonly #kernel: Kernel;
  readonly #token: TokenCalls;
  readonly #openRefusal: ServiceError | null;

  /** @param openRefusal - why objects cannot be opened with the token, or null */
  constructor(kernel: Kernel, token: TokenCalls, openRefusal: ServiceError | null) {
    this.programs = kernel.programs;
    this.maps = kernel.maps;
    this.#kernel = kernel;
    this.#token = token;
    this.#openRefusal = openRefusal;
  }

  async load(bytes: Uint8Array, logSize: number): Promise<KernelObject> {
    return this.#token.load(bytes, logSize);
  }

  open(id: number): KernelObject {
    if (this.#openRefusal !== null) throw this.#openRefusal;
    return this.#token.open(id);
  }

  nextId(after: number): number | null {
    try {
      return this.#kernel.nextId(after);
    } catch (error) {
      if (!(error instanceof BpfError) || error.code !== 'EPERM') throw error;
      throw unavailable(
        ErrorReason.DAEMON_LACKS_CAPABILITY,
        'the kernel takes no BPF token for BPF_BTF_GET_NEXT_ID: listing ids needs CAP_SYS_ADMIN in the initial user namespace',
        error,
      );
    }
  }

  parseOwnBtf(): void {
    this.#kernel.parseOwnBtf();
  }

  capabilities(): { readonly sysAdmin: boolean; readonly bpf: boolean } {
    return this.#kernel.capabilities();
  }
}
