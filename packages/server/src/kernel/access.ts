import { ErrorReason, Mode, Operation } from '@btfd/api';
import { BpfError } from '@btfd/native';
import { toServiceError } from '../error/from-unknown.js';
import { ServiceError } from '../error/service-error.js';
import type { BtfFiles } from './btf-files.js';
import type { Kernel } from './kernel.js';
import { openIfThere } from './open-object.js';

/** Access describes what works on this machine: for each operation the error that it fails with, or null. */
export class Access {
  readonly #refusals: Readonly<Partial<Record<Operation, ServiceError>>>;

  constructor(
    readonly mode: Mode,
    refusals: Readonly<Partial<Record<Operation, ServiceError>>>,
  ) {
    this.#refusals = refusals;
  }

  /** refusal returns the error that an operation fails with, or null if it works. */
  refusal(operation: Operation): ServiceError | null {
    return this.#refusals[operation] ?? null;
  }

  /**
   * require checks that an operation works.
   *
   * @throws ServiceError if it does not.
   */
  require(operation: Operation): void {
    const refusal = this.refusal(operation);
    if (refusal !== null) throw refusal;
  }
}

/** filesOnly returns the access of a daemon that serves a folder instead of the kernel. */
export function filesOnly(dir: string): Access {
  const refusal = (operation: Operation): ServiceError =>
    new ServiceError(
      ErrorReason.OPERATION_UNAVAILABLE,
      `the daemon serves the folder ${dir}, not the kernel`,
      {
        metadata: { operation: Operation[operation] },
      },
    );
  return new Access(Mode.FILES, {
    [Operation.LOAD]: refusal(Operation.LOAD),
    [Operation.OPEN_BY_ID]: refusal(Operation.OPEN_BY_ID),
    [Operation.LIST_IDS]: refusal(Operation.LIST_IDS),
  });
}

/**
 * probeAccess tries what the kernel lets the daemon do.
 *
 * @throws Error if an attempt fails for another reason than support or privilege, such as a lack of memory.
 */
export async function probeAccess(kernel: Kernel, files: Pick<BtfFiles, 'dir' | 'findNow'>): Promise<Access> {
  const load = await refusalOf(kernel, () => probeLoad(kernel));
  const list = await refusalOf(kernel, () => probeIds(kernel));
  // The same right, except with a BPF token.
  const open = list === null ? null : await refusalOf(kernel, () => probeOpen(kernel));
  const hasBtf = files.findNow('vmlinux') !== null || (list === null && listsVmlinux(kernel));
  return new Access(list === null ? Mode.FULL : load === null ? Mode.LOAD_AND_FILES : Mode.FILES, {
    ...(load === null ? {} : { [Operation.LOAD]: load }),
    ...(open === null ? {} : { [Operation.OPEN_BY_ID]: open }),
    ...(list === null ? {} : { [Operation.LIST_IDS]: list }),
    ...(hasBtf ? {} : { [Operation.SPEC_BY_NAME]: withoutBtf(files.dir) }),
  });
}

/** Without sysfs, as in a container, the kernel may have BTF although there is no file of it. */
function listsVmlinux(kernel: Kernel): boolean {
  for (let id = kernel.nextId(0); id !== null; id = kernel.nextId(id)) {
    const object = openIfThere(kernel, id);
    if (object === null) continue;
    const { kernelBtf, name } = object.info();
    object.close();
    if (kernelBtf && name === 'vmlinux') return true;
  }
  return false;
}

function withoutBtf(dir: string): ServiceError {
  const message = `no vmlinux in ${dir}: the kernel was built without BTF (CONFIG_DEBUG_INFO_BTF), or sysfs is not mounted`;
  return new ServiceError(ErrorReason.KERNEL_WITHOUT_BTF, message);
}

async function refusalOf(kernel: Kernel, attempt: () => unknown): Promise<ServiceError | null> {
  try {
    await attempt();
    return null;
  } catch (error) {
    const refusal = toServiceError(error, kernel.capabilities());
    if (LASTING.has(refusal.reason)) return refusal;
    throw error;
  }
}

/** No object has this id. */
const NO_ID = 0;

/** Reasons that are the same at every call. */
const LASTING: ReadonlySet<ErrorReason> = new Set([
  ErrorReason.DAEMON_LACKS_CAPABILITY,
  ErrorReason.KERNEL_LACKS_SUPPORT,
]);

/**
 * Loads BTF that every kernel with BTF accepts. An errno for bad BTF would not show whether the kernel knows BTF: a kernel
 * before 4.18 refuses the command with EINVAL, as a newer one refuses bad BTF.
 */
async function probeLoad(kernel: Kernel): Promise<void> {
  try {
    const object = await kernel.load(minimalBtf(), 0);
    object.close();
  } catch (error) {
    throwIfUnknown(error, 'the kernel does not know BTF (Linux 4.18 does)');
    throw error;
  }
}

function probeIds(kernel: Kernel): void {
  try {
    kernel.nextId(0);
  } catch (error) {
    throwIfUnknown(error, 'the kernel does not list BTF ids (Linux 5.0 does)');
    throw error;
  }
}

function probeOpen(kernel: Kernel): void {
  try {
    openIfThere(kernel, NO_ID)?.close();
  } catch (error) {
    throwIfUnknown(error, 'the kernel does not open BTF by id (Linux 4.18 does)');
    throw error;
  }
}

/** The kernel refuses an unknown command with EINVAL. */
function throwIfUnknown(error: unknown, message: string): void {
  if (!(error instanceof BpfError) || error.code !== 'EINVAL') return;
  throw new ServiceError(ErrorReason.KERNEL_LACKS_SUPPORT, message, {
    metadata: { command: error.command, errno_name: error.code },
    cause: error,
  });
}

/** minimalBtf returns BTF that every kernel with BTF accepts: one anonymous int of 0 bits, in the machine's byte order. */
export function minimalBtf(): Uint8Array {
  const words = new Uint32Array([0, 24, 0, 16, 16, 1, 0, 1 << 24, 4, 0, 0]);
  const header = new DataView(words.buffer);
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
  header.setUint16(0, 0xeb9f, little);
  header.setUint8(2, 1);
  return new Uint8Array(words.buffer, 0, 41);
}
