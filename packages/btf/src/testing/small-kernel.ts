import { Builder } from '../build/builder.js';
import { SECTION_NAMES } from '../object/section-names.js';
import { Spec } from '../spec.js';
import { FuncLinkage, type TypeId, VarLinkage } from '../types.js';

/** SmallKernelOptions say how a kernel of {@link smallKernel} differs. */
export interface SmallKernelOptions {
  /** The kernel is split BTF of this one: that of a module. Then it has only what `more` adds. */
  readonly base?: Spec;
  /** Names of enums of bpf(2) that it does not have. */
  readonly withoutEnums?: readonly string[];
  /** Names of values that they do not have. */
  readonly withoutValues?: readonly string[];
  /** Whether functions that programs may call have a tag. Default: true. */
  readonly hasTags?: boolean;
  /** Whether it has no struct of functions that programs may implement. */
  readonly withoutStructOps?: boolean;
  readonly more?: (types: KernelTypes) => void;
}

/** KernelTypes adds types to a kernel, which are few and by name. */
export class KernelTypes {
  readonly builder: Builder;
  readonly int: TypeId;
  readonly word: TypeId;
  readonly pointer: TypeId;

  constructor(base: Spec | null) {
    this.builder = new Builder({ base, deduplicate: base === null });
    this.int = this.builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
    this.word = this.builder.add({
      kind: 'INT',
      name: 'unsigned long',
      size: 8,
      encoding: 0,
      bits: 64,
      bitOffset: 0,
    });
    this.pointer = this.builder.add({ kind: 'PTR', typeId: 0 });
  }

  prototype(returnTypeId: TypeId, parameters: readonly TypeId[]): TypeId {
    const params = parameters.map((typeId, i) => ({ name: typeId === 0 ? '' : `p${i}`, typeId }));
    return this.builder.add({ kind: 'FUNC_PROTO', returnTypeId, params });
  }

  function(name: string, returnTypeId: TypeId, parameters: readonly TypeId[], tag?: string): void {
    const typeId = this.prototype(returnTypeId, parameters);
    const id = this.builder.add({ kind: 'FUNC', name, typeId, linkage: FuncLinkage.STATIC });
    if (tag !== undefined)
      this.builder.add({ kind: 'DECL_TAG', name: tag, attribute: false, typeId: id, componentIdx: -1 });
  }

  /** A struct of members without gaps, each with its type and size in bytes. */
  struct(name: string, members: readonly (readonly [string, TypeId, number])[]): TypeId {
    let offset = 0;
    const placed = members.map(([own, typeId, size]) => {
      const member = { name: own, typeId, bitOffset: offset * 8, bitfieldSize: 0 };
      offset += size;
      return member;
    });
    return this.builder.add({ kind: 'STRUCT', name, size: offset, members: placed });
  }

  tracepoint(name: string, parameters: readonly TypeId[]): void {
    const typeId = this.builder.add({
      kind: 'PTR',
      typeId: this.prototype(0, [this.pointer, ...parameters]),
    });
    this.builder.add({ kind: 'TYPEDEF', name: `btf_trace_${name}`, typeId });
  }

  variable(name: string, typeId: TypeId): void {
    this.builder.add({ kind: 'VAR', name, typeId, linkage: VarLinkage.GLOBAL });
  }

  /** An enum of consecutive values from 0 on. */
  enum(name: string, values: readonly string[]): void {
    this.builder.add({
      kind: 'ENUM',
      name,
      size: 4,
      signed: false,
      values: values.map((own, value) => ({ name: own, value })),
    });
  }
}

/** smallKernel makes a kernel with what the programs of `check/testdata` need. */
export function smallKernel(options: SmallKernelOptions = {}): Spec {
  const { base = null, more } = options;
  const types = new KernelTypes(base);
  if (base === null) addKernel(types, options);
  more?.(types);
  return Spec.parse(types.builder.marshal(), { base });
}

function addKernel(types: KernelTypes, options: SmallKernelOptions): void {
  const { int, word, pointer } = types;
  const tag = (options.hasTags ?? true) ? ['bpf_kfunc'] : [];
  types.struct('task_struct', [['pid', int, 4]]);
  types.function('bpf_rcu_read_lock', 0, [], ...tag);
  types.function('bpf_rcu_read_unlock', 0, [], ...tag);
  types.function('bpf_cpumask_create', pointer, [], ...tag);
  types.function('nr_context_switches', word, []);
  types.function('bpf_iter_task', int, [pointer, pointer]);
  types.tracepoint('task_newtask', [pointer, word]);
  types.tracepoint('sys_enter', [pointer, word]);
  types.variable('bpf_prog_active', int);
  if (options.withoutStructOps !== true) addStructOps(types);
  for (const [own, values] of Object.entries(ENUMS)) {
    if (options.withoutEnums?.includes(own) === true) continue;
    types.enum(
      own,
      values.filter((value) => options.withoutValues?.includes(value) !== true),
    );
  }
}

function addStructOps(types: KernelTypes): void {
  const { int, word, pointer, builder } = types;
  const char = builder.add({ kind: 'INT', name: 'char', size: 1, encoding: 1, bits: 8, bitOffset: 0 });
  const name = builder.add({ kind: 'ARRAY', typeId: char, indexTypeId: int, nelems: 16 });
  const ssthresh = builder.add({ kind: 'PTR', typeId: types.prototype(int, [pointer]) });
  const ops = types.struct('tcp_congestion_ops', [
    ['ssthresh', ssthresh, 8],
    ['owner', pointer, 8],
    ['flags', int, 4],
    ['name', name, 16],
  ]);
  types.struct('bpf_struct_ops_tcp_congestion_ops', [
    ['common', word, 8],
    ['data', ops, 28],
  ]);
}

function distinct(names: readonly (string | null)[], prefix: string): string[] {
  return [...new Set(names)].flatMap((name) => (name === null ? [] : [`${prefix}${name}`]));
}

/** The enums of bpf(2). Only the names and the first numbers are as they are in kernels. */
const ENUMS: Readonly<Record<string, readonly string[]>> = {
  bpf_func_id: [
    'BPF_FUNC_unspec',
    'BPF_FUNC_map_lookup_elem',
    'BPF_FUNC_probe_read_kernel',
    '__BPF_FUNC_MAX_ID',
  ],
  bpf_map_type: [
    'BPF_MAP_TYPE_UNSPEC',
    'BPF_MAP_TYPE_HASH',
    'BPF_MAP_TYPE_ARRAY',
    'BPF_MAP_TYPE_USER_RINGBUF',
    '__MAX_BPF_MAP_TYPE',
  ],
  bpf_prog_type: distinct(
    SECTION_NAMES.map(({ programType }) => programType),
    'BPF_PROG_TYPE_',
  ),
  bpf_attach_type: distinct(
    SECTION_NAMES.map(({ attachType }) => attachType),
    'BPF_',
  ),
};
