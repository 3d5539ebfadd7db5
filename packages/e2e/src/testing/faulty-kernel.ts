import { constants } from 'node:os';
import { BpfError, type BpfCommand } from '@btfd/native';
import type { Kernel, KernelObject } from '@btfd/server';

type Errno = keyof typeof constants.errno;

/** The errnos with which each call may fail: those of the kernel under pressure, in races and after signals. */
const FAULTS = {
  load: ['BPF_BTF_LOAD', ['ENOMEM', 'EMFILE', 'EINTR', 'EAGAIN']],
  open: ['BPF_BTF_GET_FD_BY_ID', ['ENOENT', 'ENOMEM', 'EMFILE', 'EINTR', 'EAGAIN']],
  nextId: ['BPF_BTF_GET_NEXT_ID', ['EINTR', 'EAGAIN']],
  info: ['BPF_OBJ_GET_INFO_BY_FD', ['ENOMEM', 'EINTR', 'EAGAIN']],
  read: ['BPF_OBJ_GET_INFO_BY_FD', ['ENOMEM', 'EINTR']],
  dup: ['dup', ['EMFILE', 'ENFILE']],
} as const satisfies Record<string, readonly [BpfCommand, readonly Errno[]]>;

/** FaultyKernel is a kernel whose calls fail at random, with errors that a test cannot cause otherwise. */
export class FaultyKernel implements Kernel {
  /** The number of faults until now. */
  faults = 0;
  /** The share of calls that fail. */
  rate = 0;
  readonly programs: Kernel['programs'];
  readonly maps: Kernel['maps'];
  #state: number;

  readonly #kernel: Kernel;

  constructor(kernel: Kernel, seed: number) {
    this.#kernel = kernel;
    this.#state = seed;
    this.programs = kernel.programs;
    this.maps = kernel.maps;
  }

  async load(bytes: Uint8Array, logSize: number): Promise<KernelObject> {
    this.#mayFail('load');
    return this.#wrap(await this.#kernel.load(bytes, logSize));
  }

  open(id: number): KernelObject {
    this.#mayFail('open');
    return this.#wrap(this.#kernel.open(id));
  }

  nextId(after: number): number | null {
    this.#mayFail('nextId');
    return this.#kernel.nextId(after);
  }

  parseOwnBtf(): void {
    this.#kernel.parseOwnBtf();
  }

  capabilities(): ReturnType<Kernel['capabilities']> {
    return this.#kernel.capabilities();
  }

  #wrap(object: KernelObject): KernelObject {
    return {
      info: () => {
        this.#mayFail('info');
        return object.info();
      },
      read: async () => {
        this.#mayFail('read');
        return object.read();
      },
      send: (socket, text) => object.send(socket, text),
      dup: () => {
        this.#mayFail('dup');
        return this.#wrap(object.dup());
      },
      close: () => object.close(),
    };
  }

  #mayFail(call: keyof typeof FAULTS): void {
    if (this.#random() >= this.rate) return;
    this.faults += 1;
    const [command, errnos] = FAULTS[call];
    const errno = errnos[Math.floor(this.#random() * errnos.length)] ?? 'ENOMEM';
    throw new BpfError(command, constants.errno[errno], null, null);
  }

  /** Returns a number from 0 to 1. The same seed and calls give the same faults (mulberry32). */
  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
