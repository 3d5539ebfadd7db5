import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { type KernelFeatures, Spec, validate } from '@btfd/btf';
import { BpfError, type BpfCommand, type VerifierLog } from '@btfd/native';
import type { Kernel, KernelObject, ObjectInfo } from '../kernel/kernel.js';
import { FakeBpfObjects } from './fake-bpf-objects.js';

/** The errno of the kernel's own ENOTSUPP. */
const ENOTSUPP = 524;

/** bpfError returns the error of a call that the kernel refuses. */
export function bpfError(command: BpfCommand, code: string, log: VerifierLog | null = null): BpfError {
  const errno = code === 'ENOTSUPP' ? ENOTSUPP : new Map(Object.entries(constants.errno)).get(code);
  if (errno === undefined) throw new Error(`no errno ${code}`);
  return new BpfError(command, errno, null, log);
}

/** verifierLog returns a log with a text or bytes. */
export function verifierLog(text: string | Uint8Array, rest: Partial<VerifierLog> = {}): VerifierLog {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  return { text: bytes, truncated: false, trueSize: bytes.length + 1, ...rest };
}

interface Present {
  readonly id: number;
  readonly name: string;
  readonly kernelBtf: boolean;
  readonly bytes: Uint8Array;
  /** Whether something in the kernel holds it, as with vmlinux and modules. */
  held: boolean;
  open: number;
  removed: boolean;
}

type Call = Exclude<keyof Kernel, 'capabilities' | 'programs' | 'maps'> | 'info' | 'read' | 'send' | 'dup';

/** FakeKernel is a kernel in memory. Its objects have ids, and live while something holds them. */
export class FakeKernel implements Kernel {
  /** The error that each call fails with, if any. */
  readonly failures: Partial<Record<Call, Error>> = {};
  /** Objects that vanish after they are listed, before they are opened. */
  readonly vanishing = new Set<number>();
  /** Objects that leave the list when they are opened, before their info is read. */
  readonly leaving = new Set<number>();
  /** The arguments of the calls of `load`. */
  readonly loads: { readonly bytes: Uint8Array; readonly logSize: number }[] = [];
  /** Loads wait for this. */
  loadGate: Promise<void> = Promise.resolve();
  /** vmlinux after the kernel parses it, or null if parsing adds nothing. */
  unparsedVmlinux: Uint8Array | null = null;
  /** Calls of `parseOwnBtf`. */
  parses = 0;
  /** Calls of `open`. */
  opens = 0;
  /** Calls of `read`. */
  reads = 0;
  /** Calls of `nextId`. */
  nexts = 0;
  /** Times that the ids were listed from the beginning. */
  lists = 0;
  /** The id of the next object. */
  nextFreeId = 1;
  /** Is called at each call of `nextId` and `open`, for example to let time pass. */
  perCall = (): void => {};
  /** Whether a removed object keeps its id while somebody holds it, as unloaded modules do on Linux 6.16 and 6.18. */
  keepsIds = false;
  /** The capabilities in effect. */
  granted = { sysAdmin: true, bpf: true };
  readonly programs = new FakeBpfObjects();
  readonly maps = new FakeBpfObjects();
  readonly #objects = new Map<number, Present>();
  /** The ids in ascending order, or null if they have changed. */
  #sorted: readonly number[] | null = null;

  /** add adds an object of the kernel, and returns its id. */
  add(name: string, bytes: Uint8Array): number {
    return this.#insert({ name, kernelBtf: true, bytes, held: true }).id;
  }

  /** addUsers adds an object of another process, and returns its id. */
  addUsers(bytes: Uint8Array): number {
    return this.#insert({ name: '', kernelBtf: false, bytes, held: true }).id;
  }

  /** remove removes an object from the list, as unloading a module does. Open file descriptors keep it. */
  remove(id: number): void {
    const present = this.#objects.get(id);
    if (present === undefined) return;
    present.held = false;
    if (this.keepsIds && present.open > 0) return;
    present.removed = true;
    this.#forget(id);
  }

  /** File descriptors that are open now. */
  openCount = 0;

  /** The ids in the list. */
  ids(): number[] {
    return [...this.#objects.keys()];
  }

  async load(bytes: Uint8Array, logSize: number): Promise<KernelObject> {
    // Like the addon, which refuses a smaller buffer.
    if (logSize > 0 && logSize < 128)
      throw new RangeError(`logSize must be 0 or at least 128, is ${logSize}`);
    this.loads.push({ bytes: bytes.slice(), logSize });
    const copy = bytes.slice();
    await this.loadGate;
    this.check('load');
    return this.#openPresent(this.#insert({ name: '', kernelBtf: false, bytes: copy, held: false }));
  }

  open(id: number): KernelObject {
    this.opens += 1;
    this.perCall();
    this.check('open');
    const present = this.#objects.get(id);
    if (present === undefined || this.vanishing.has(id)) throw bpfError('BPF_BTF_GET_FD_BY_ID', 'ENOENT');
    const object = this.#openPresent(present);
    if (this.leaving.delete(id)) this.remove(id);
    return object;
  }

  nextId(after: number): number | null {
    this.nexts += 1;
    this.perCall();
    if (after === 0) this.lists += 1;
    this.check('nextId');
    if (after >= 0x7fff_ffff) throw bpfError('BPF_BTF_GET_NEXT_ID', 'EINVAL');
    return this.#nextOf(after);
  }

  /** Returns the smallest id above another, by binary search, so that a list of many objects takes little time. */
  #nextOf(after: number): number | null {
    this.#sorted ??= this.ids().toSorted((a, b) => a - b);
    const ids = this.#sorted;
    let low = 0;
    for (let high = ids.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((ids[middle] ?? 0) > after) high = middle;
      else low = middle + 1;
    }
    return ids[low] ?? null;
  }

  parseOwnBtf(): void {
    this.parses += 1;
    this.check('parseOwnBtf');
    if (this.unparsedVmlinux === null) return;
    this.add('vmlinux', this.unparsedVmlinux);
    this.unparsedVmlinux = null;
  }

  capabilities(): { readonly sysAdmin: boolean; readonly bpf: boolean } {
    return this.granted;
  }

  /** check throws the error that a call fails with, if any. */
  check(call: Call): void {
    const failure = this.failures[call];
    if (failure !== undefined) throw failure;
  }

  #forget(id: number): void {
    this.#objects.delete(id);
    this.#sorted = null;
  }

  #insert(object: Omit<Present, 'id' | 'open' | 'removed'>): Present {
    const id = this.nextFreeId++;
    const present = { ...object, id, open: 0, removed: false };
    this.#objects.set(id, present);
    this.#sorted = null;
    return present;
  }

  #openPresent(present: Present): KernelObject {
    present.open += 1;
    this.openCount += 1;
    return new FakeObject(
      this,
      present,
      () => {
        present.open -= 1;
        this.openCount -= 1;
        if (present.open === 0 && !present.held) this.#forget(present.id);
      },
      () => this.#openPresent(present),
    );
  }
}

class FakeObject implements KernelObject {
  #isOpen = true;
  readonly #kernel: FakeKernel;
  readonly #present: Present;
  readonly #onClose: () => void;
  readonly #reopen: () => KernelObject;

  constructor(kernel: FakeKernel, present: Present, onClose: () => void, reopen: () => KernelObject) {
    this.#kernel = kernel;
    this.#present = present;
    this.#onClose = onClose;
    this.#reopen = reopen;
  }

  info(): ObjectInfo {
    this.#check('info');
    const { id, name, kernelBtf, bytes, removed } = this.#present;
    return { id: removed ? 0 : id, name, kernelBtf, size: bytes.length };
  }

  async read(): Promise<Uint8Array> {
    this.#check('read');
    this.#kernel.reads += 1;
    return this.#present.bytes.slice();
  }

  /** Sends the text alone. */
  send(socket: number, text: string): void {
    this.#check('send');
    writeSync(socket, text);
  }

  dup(): KernelObject {
    this.#check('dup');
    return this.#reopen();
  }

  close(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    this.#onClose();
    return true;
  }

  #check(call: 'info' | 'read' | 'send' | 'dup'): void {
    if (!this.#isOpen) throw new Error(`${call} of an object that is closed`);
    this.#kernel.check(call);
  }
}

/** OldKernel refuses BTF as a kernel with fewer features does. */
export class OldKernel extends FakeKernel {
  readonly #features: KernelFeatures;

  constructor(features: KernelFeatures) {
    super();
    this.#features = features;
  }

  override async load(bytes: Uint8Array, logSize: number): Promise<KernelObject> {
    const [problem] = validate(Spec.parse(bytes), { kernelFeatures: this.#features });
    if (problem === undefined) return super.load(bytes, logSize);
    const special = /\((E\w+)\)$/.exec(problem.message)?.[1];
    const code = problem.message === 'Unsupported btf_header' ? 'E2BIG' : (special ?? 'EINVAL');
    throw bpfError('BPF_BTF_LOAD', code);
  }
}
