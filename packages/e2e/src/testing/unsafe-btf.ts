import { Builder, type Member, type TypeId } from '@btfd/btf';

function member(typeId: TypeId, bitOffset = 0): Member {
  return { name: 'm', typeId, bitOffset, bitfieldSize: 0 };
}

function make(
  add: (struct: (name: string, size: number, ...members: Member[]) => TypeId, b: Builder) => void,
) {
  const builder = new Builder({ deduplicate: false });
  add((name, size, ...members) => builder.add({ kind: 'STRUCT', name, size, members }), builder);
  return builder.marshal();
}

/**
 * repeatedFields returns BTF with an array of structs with ten pointers tagged `kptr` each. Counted in 32 bits, the array
 * has four such fields. Linux 6.11 to 6.12.95, 6.16.12, 6.18.15 and 7.0.13 write beyond their stack for it.
 */
function repeatedFields(): Uint8Array {
  return make((struct, builder) => {
    const indexTypeId = builder.add({
      kind: 'INT',
      name: 'int',
      size: 4,
      encoding: 1,
      bits: 32,
      bitOffset: 0,
    });
    const target = struct('btfd_target', 4, member(indexTypeId));
    const tag = builder.add({ kind: 'TYPE_TAG', name: 'kptr_untrusted', typeId: target, attribute: false });
    const pointer = builder.add({ kind: 'PTR', typeId: tag });
    const one = builder.add({ kind: 'ARRAY', typeId: pointer, indexTypeId, nelems: 1 });
    const ten = struct('ten', 8, ...Array.from({ length: 10 }, () => member(one)));
    const many = builder.add({ kind: 'ARRAY', typeId: ten, indexTypeId, nelems: 0x1999999a });
    struct('outer', 0xcccccce0, member(pointer), member(many, 64));
  });
}

/** UNSAFE_BTF has BTF on which some kernels crash or print a warning. Never load it directly. */
export const UNSAFE_BTF: Readonly<Record<string, () => Uint8Array>> = {
  'more fields than 32 bits count': repeatedFields,
  'a second lock in a nested struct': () =>
    make((struct) => {
      const lock = struct('bpf_spin_lock', 4);
      struct('two', 8, member(lock), member(struct('inner', 4, member(lock)), 32));
    }),
  'a lock of another kind after a lock': () =>
    make((struct) => {
      const lock = struct('bpf_spin_lock', 4);
      struct('two', 8, member(lock), member(struct('bpf_res_spin_lock', 4), 32));
    }),
  'two reference counts': () =>
    make((struct) => {
      const count = struct('bpf_refcount', 4);
      struct('two', 8, member(count), member(count, 32));
    }),
  'a prototype that takes a declaration tag': () =>
    make((struct, builder) => {
      const typeId = struct('s', 4);
      const tag = builder.add({ kind: 'DECL_TAG', name: 'tag', typeId, componentIdx: -1, attribute: false });
      builder.add({ kind: 'FUNC_PROTO', returnTypeId: 0, params: [{ name: 'p', typeId: tag }] });
    }),
};
