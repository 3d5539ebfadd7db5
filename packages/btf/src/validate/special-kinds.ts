/** SpecialName is the name of a struct that programs declare for the kernel to fill, or `kptr` for a tagged pointer. */
export type SpecialName =
  | 'bpf_spin_lock'
  | 'bpf_res_spin_lock'
  | 'bpf_list_head'
  | 'bpf_list_node'
  | 'bpf_rb_root'
  | 'bpf_rb_node'
  | 'bpf_refcount'
  | 'kptr';

/** SpecialKind describes how the kernel treats such a struct. */
export interface SpecialKind {
  readonly name: SpecialName;
  /** Size in bytes; a struct of the name with another size is not special. */
  readonly size: number;
  /** Alignment in bytes; a member with a lower alignment is not special. */
  readonly align: number;
  /**
   * Whether a struct may have only one. `NESTED` is only checked by kernels that also look into the structs within it
   * (`uniqueFields`).
   */
  readonly unique: 'ALWAYS' | 'NESTED' | 'NEVER';
  /**
   * Whether it starts the search for structs with special fields. The others only count if such a search finds them.
   */
  readonly sought: boolean;
  /** For the root of a list or tree: the struct that its elements have. */
  readonly node: SpecialName | null;
}

const KINDS: readonly SpecialKind[] = [
  { name: 'bpf_spin_lock', size: 4, align: 4, unique: 'ALWAYS', sought: true, node: null },
  { name: 'bpf_res_spin_lock', size: 4, align: 4, unique: 'ALWAYS', sought: false, node: null },
  { name: 'bpf_list_head', size: 16, align: 8, unique: 'NEVER', sought: true, node: 'bpf_list_node' },
  { name: 'bpf_list_node', size: 24, align: 8, unique: 'NEVER', sought: true, node: null },
  { name: 'bpf_rb_root', size: 16, align: 8, unique: 'NEVER', sought: true, node: 'bpf_rb_node' },
  { name: 'bpf_rb_node', size: 32, align: 8, unique: 'NEVER', sought: true, node: null },
  { name: 'bpf_refcount', size: 4, align: 4, unique: 'NESTED', sought: true, node: null },
];

/**
 * SPECIAL_KINDS are the structs that BPF_BTF_LOAD searches for, by name. Timers and work are only searched for in maps.
 */
export const SPECIAL_KINDS: ReadonlyMap<string, SpecialKind> = /* @__PURE__ */ new Map(
  KINDS.map((kind) => [kind.name, kind]),
);

/** POINTER_TAGS are the type tags of pointers that the kernel keeps for a program, and whether they count as fields. */
export const POINTER_TAGS: ReadonlyMap<string, boolean> = new Map([
  ['kptr_untrusted', true],
  ['kptr', true],
  ['percpu_kptr', true],
  // Only for the values of maps.
  ['uptr', false],
]);

/** KPTR_SIZE is the size and alignment of a pointer that the kernel keeps, which it does on 64-bit machines only. */
export const KPTR_SIZE = 8;

/** isRepeatable reports whether an array may have such fields, or structs with them, as elements. */
export function isRepeatable(name: SpecialName): boolean {
  return name === 'kptr' || name === 'bpf_list_head' || name === 'bpf_rb_root';
}
