import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Builder, convertByteOrder, FuncLinkage, IntEncoding, type Spec, type TypeId } from '@btfd/btf';

/** SmallKernelOptions say how a kernel of {@link writeSmallKernel} differs. */
export interface SmallKernelOptions {
  /** Members of `struct task_struct`, all of type `int`. Default: `pid`, `flags` and `tgid`. */
  readonly members?: readonly string[];
  /** Default: false. */
  readonly bigEndian?: boolean;
  /** Modules, each with a struct of one `int`, by its name. */
  readonly modules?: Readonly<Record<string, string>>;
}

/** writeSmallKernel writes the BTF of a kernel for `agent.bpf.o` into a folder, as in `/sys/kernel/btf`. */
export function writeSmallKernel(folder: string, options: SmallKernelOptions = {}): void {
  const { members = ['pid', 'flags', 'tgid'], bigEndian = false, modules = {} } = options;
  mkdirSync(folder, { recursive: true });
  const builder = new Builder();
  const int = addInt(builder);
  addStruct(builder, 'task_struct', members, int);
  const pointer = builder.add({ kind: 'PTR', typeId: 0 });
  const params = ['', 'task', 'flags'].map((name) => ({ name, typeId: pointer }));
  const proto = builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params });
  const tracepoint = builder.add({ kind: 'PTR', typeId: proto });
  builder.add({ kind: 'TYPEDEF', name: 'btf_trace_task_newtask', typeId: tracepoint });
  for (const name of ['task_newtask', 'do_exit'])
    builder.add({ kind: 'FUNC', name, typeId: proto, linkage: FuncLinkage.STATIC });
  addEnum(builder, 'bpf_prog_type', ['BPF_PROG_TYPE_TRACING', 'BPF_PROG_TYPE_KPROBE']);
  addEnum(builder, 'bpf_attach_type', ['BPF_TRACE_RAW_TP', 'BPF_TRACE_FENTRY']);
  addEnum(builder, 'bpf_map_type', ['BPF_MAP_TYPE_ARRAY']);
  // This helper says that the verifier reads the values of constant variables.
  addEnum(builder, 'bpf_func_id', ['BPF_FUNC_unspec', 'BPF_FUNC_probe_read_kernel']);
  const vmlinux = builder.toSpec();
  writeFileSync(join(folder, 'vmlinux'), bigEndian ? convertByteOrder(vmlinux, 'big') : vmlinux.bytes);
  for (const [name, struct] of Object.entries(modules)) writeModule(join(folder, name), struct, vmlinux);
}

function writeModule(path: string, struct: string, base: Spec): void {
  const builder = new Builder({ base });
  addStruct(builder, struct, ['value'], addInt(builder));
  writeFileSync(path, builder.marshal());
}

function addInt(builder: Builder): TypeId {
  return builder.add({
    kind: 'INT',
    name: 'int',
    size: 4,
    encoding: IntEncoding.SIGNED,
    bits: 32,
    bitOffset: 0,
  });
}

function addStruct(builder: Builder, name: string, names: readonly string[], typeId: TypeId): void {
  const members = names.map((own, at) => ({ name: own, typeId, bitOffset: at * 32, bitfieldSize: 0 }));
  builder.add({ kind: 'STRUCT', name, size: names.length * 4, members });
}

function addEnum(builder: Builder, name: string, names: readonly string[]): void {
  const values = names.map((own, value) => ({ name: own, value }));
  builder.add({ kind: 'ENUM', name, size: 4, signed: false, values });
}
