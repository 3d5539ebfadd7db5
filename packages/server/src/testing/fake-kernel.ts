import { constants } from 'node:os';
import { BpfError, type BpfCommand, type VerifierLog } from '@btfd/native';
import type { Kernel, KernelObject, ObjectInfo } from '../kernel/kernel.js';
import { FakeBpfObjects } from './fake-bpf-objects.js';

/** The errno of the kernel's own ENOTSUPP. */
const ENOTSUPP = 524;

/** bpfError is the error of a call that the kernel refuses. */
export function bpfError(command: BpfCommand, code: string, log: VerifierLog | null = null): BpfError {
  const errno = code === 'ENOTSUPP' ? ENOTSUPP : new Map(Object.entries(constants.errno)).get(code);
  if (errno === undefined) throw new Error(`no errno ${code}`);
  return new BpfError(command, errno, null, log);
}

/** verifierLog is a log of some text or bytes. */
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

type Call = Exclude<keyof Kernel, 'capabilities' | 'programs' | 'maps'> | 'info' | 'read' | 'dup';

/** FakeKernel is a kernel in memory: objects with ids, which live while something holds them. */
export class FakeKernel implements Kernel {
  /** What each call fails with, if anything. */
  readonly failures: Partial<Record<Call, Error>> = {};
  /** Objects that vanish between being listed and being opened. */
  readonly vanishing = new Set<number>();
  /** Objects that leave the list once they are opened, before they are asked for their info. */
  readonly leaving = new Set<number>();
  /** What `load` was called with. */
  readonly loads: { readonly bytes: Uint8Array; readonly logSize: number }[] = [];
  /** Loads wait for this. */
  loadGate: Promise<void> = Promise.resolve();
  /** vmlinux as it will be once the kernel parses it; null where that gives nothing. */
  unparsedVmlinux: Uint8Array | null = null;
  /** Calls of `parseOwnBtf`. */
  parses = 0;
  /** Calls of `open`. */
  opens = 0;
  /** Calls of `read`. */
  reads = 0;
  /** The capabilities in effect. */
  granted = { sysAdmin: true, bpf: true };
  readonly programs = new FakeBpfObjects();
  readonly maps = new FakeBpfObjects();
  private readonly objects = new Map<number, Present>();
  private lastId = 0;

  /** Adds an object of the kernel's own, and gives its id. */
  add(name: string, bytes: Uint8Array): number {
    return this.insert({ name, kernelBtf: true, bytes, held: true }).id;
  }

  /** Adds an object of another process, and gives its id. */
  addUsers(bytes: Uint8Array): number {
    return this.insert({ name: '', kernelBtf: false, bytes, held: true }).id;
  }

  /** Takes an object from the list, as unloading its module does. Who has it open keeps it. */
  remove(id: number): void {
    const present = this.objects.get(id);
    if (present === undefined) return;
    present.removed = true;
    present.held = false;
    this.objects.delete(id);
  }

  /** File descriptors that are open now. */
  openCount = 0;

  /** The ids in the list. */
  ids(): number[] {
    return [...this.objects.keys()];
  }

  async load(bytes: Uint8Array, logSize: number): Promise<KernelObject> {
    // As the addon: a smaller buffer is no log.
    if (logSize > 0 && logSize < 128)
      throw new RangeError(`logSize must be 0 or at least 128, is ${logSize}`);
    this.loads.push({ bytes: bytes.slice(), logSize });
    const copy = bytes.slice();
    await this.loadGate;
    this.check('load');
    return this.openPresent(this.insert({ name: '', kernelBtf: false, bytes: copy, held: false }));
  }

  open(id: number): KernelObject {
    this.opens += 1;
    this.check('open');
    const present = this.objects.get(id);
    if (present === undefined || this.vanishing.has(id)) throw bpfError('BPF_BTF_GET_FD_BY_ID', 'ENOENT');
    const object = this.openPresent(present);
    if (this.leaving.delete(id)) this.remove(id);
    return object;
  }

  nextId(after: number): number | null {
    this.check('nextId');
    if (after >= 0x7fff_ffff) throw bpfError('BPF_BTF_GET_NEXT_ID', 'EINVAL');
    return this.ids().find((id) => id > after) ?? null;
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

  /** Throws the failure that a call has, if any. */
  check(call: Call): void {
    const failure = this.failures[call];
    if (failure !== undefined) throw failure;
  }

  private insert(object: Omit<Present, 'id' | 'open' | 'removed'>): Present {
    const id = ++this.lastId;
    const present = { ...object, id, open: 0, removed: false };
    this.objects.set(id, present);
    return present;
  }

  private openPresent(present: Present): KernelObject {
    present.open += 1;
    this.openCount += 1;
    return new FakeObject(
      this,
      present,
      () => {
        present.open -= 1;
        this.openCount -= 1;
        if (present.open === 0 && !present.held) this.objects.delete(present.id);
      },
      () => this.openPresent(present),
    );
  }
}

class FakeObject implements KernelObject {
  private isOpen = true;

  constructor(
    private readonly kernel: FakeKernel,
    private readonly present: Present,
    private readonly onClose: () => void,
    private readonly reopen: () => KernelObject,
  ) {}

  info(): ObjectInfo {
    this.check('info');
    const { id, name, kernelBtf, bytes, removed } = this.present;
    return { id: removed ? 0 : id, name, kernelBtf, size: bytes.length };
  }

  async read(): Promise<Uint8Array> {
    this.check('read');
    this.kernel.reads += 1;
    return this.present.bytes.slice();
  }

  dup(): KernelObject {
    this.check('dup');
    return this.reopen();
  }

  close(): boolean {
    if (!this.isOpen) return false;
    this.isOpen = false;
    this.onClose();
    return true;
  }

  private check(call: 'info' | 'read' | 'dup'): void {
    if (!this.isOpen) throw new Error(`${call} of an object that is closed`);
    this.kernel.check(call);
  }
}
