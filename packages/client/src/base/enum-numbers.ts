/* oxlint-disable typescript/no-unsafe-enum-assignment -- The types demand the right numbers. */
import type { BpfLoader, ByteOrder, Encoding, InfoDetail, NoteKind, Origin, ServerDetail } from '@btfd/api';

// The numbers of enums in messages. The modules of the enums themselves would load all messages.

/** ORIGIN_NUMBERS are the numbers of the origins. */
export const ORIGIN_NUMBERS: {
  readonly vmlinux: Origin.VMLINUX;
  readonly module: Origin.MODULE;
  readonly 'kernel-other': Origin.KERNEL_OTHER;
  readonly user: Origin.USER;
} = { vmlinux: 1, module: 2, 'kernel-other': 3, user: 4 };

/** DETAIL_NUMBERS are the numbers of the details of an info. */
export const DETAIL_NUMBERS: {
  readonly digest: InfoDetail.DIGEST;
  readonly users: InfoDetail.USERS;
} = { digest: 1, users: 2 };

/** SERVER_DETAIL_NUMBERS are the numbers of the details of a daemon's info. */
export const SERVER_DETAIL_NUMBERS: { readonly digests: ServerDetail.DIGESTS } = { digests: 1 };

/** ENCODINGS are the numbers of the encodings that this client requests. */
export const ENCODINGS: { readonly RAW: Encoding.RAW; readonly C: Encoding.C } = { RAW: 1, C: 3 };

/** NOTE_KINDS are the numbers of the kinds of notes. */
export const NOTE_KINDS: {
  readonly [K in Exclude<keyof typeof NoteKind, 'UNSPECIFIED'>]: (typeof NoteKind)[K];
} = { UNKNOWN_FLAGS: 1, UNKNOWN_HEADER_FIELDS: 2, UNKNOWN_BYTES: 3, UNKNOWN_KINDS: 4 };

/** LOADER_NUMBERS are the numbers of the loaders of BPF objects. */
export const LOADER_NUMBERS: {
  readonly libbpf: BpfLoader.LIBBPF;
  readonly cilium: BpfLoader.CILIUM_EBPF;
} = { libbpf: 1, cilium: 2 };

/** LOADERS are the loaders by their numbers. */
export const LOADERS: Readonly<Record<number, keyof typeof LOADER_NUMBERS>> = {
  [LOADER_NUMBERS.libbpf]: 'libbpf',
  [LOADER_NUMBERS.cilium]: 'cilium',
};

const LITTLE_ENDIAN: ByteOrder.LITTLE_ENDIAN = 1;
const BIG_ENDIAN: ByteOrder.BIG_ENDIAN = 2;

/** BYTE_ORDERS are the byte orders by their numbers. */
export const BYTE_ORDERS: Readonly<Record<number, 'little' | 'big'>> = {
  [LITTLE_ENDIAN]: 'little',
  [BIG_ENDIAN]: 'big',
};
