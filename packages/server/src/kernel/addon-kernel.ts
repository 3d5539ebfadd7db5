import {
  BpfUnavailableError,
  btfGetFdById,
  btfGetNextId,
  btfLoad,
  capabilities,
  mapGetInfoById,
  mapGetNextId,
  progGetInfoById,
  progGetNextId,
  progLoad,
  tokenCreate,
} from '@btfd/native';
import type { Kernel } from './kernel.js';
import type { MakeToken } from './token-kernel.js';

const BPF_PROG_TYPE_SOCKET_FILTER = 1;

/** `r0 = 0; exit`: the smallest program that the verifier accepts, in the machine's byte order. */
const RETURN_ZERO = new Uint8Array([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

/** addonKernel is the running kernel. It makes its calls through the native addon. */
export const addonKernel: Kernel = {
  load: btfLoad,
  open: btfGetFdById,
  nextId: btfGetNextId,
  // Checking any program makes the kernel parse its own BTF if nothing has done so since boot:
  // bpf_check() calls bpf_get_btf_vmlinux().
  parseOwnBtf: () => progLoad(BPF_PROG_TYPE_SOCKET_FILTER, RETURN_ZERO, 'MIT'),
  programs: { nextId: progGetNextId, info: progGetInfoById },
  maps: { nextId: mapGetNextId, info: mapGetInfoById },
  capabilities: capabilitiesInEffect,
};

/** makeAddonToken makes a BPF token of the running kernel. */
export const makeAddonToken: MakeToken = (bpffsFd) => {
  const token = tokenCreate(bpffsFd);
  return {
    load: async (bytes, logSize) => btfLoad(bytes, logSize, token),
    open: (id) => btfGetFdById(id, token),
    close: () => token.close(),
  };
};

/** Without the addon no call can be made, so no capability has an effect. */
function capabilitiesInEffect(): ReturnType<Kernel['capabilities']> {
  try {
    return capabilities();
  } catch (error) {
    if (error instanceof BpfUnavailableError) return { sysAdmin: false, bpf: false };
    throw error;
  }
}
