import { Builder } from '@btfd/btf';

/** kernelBtf returns the BTF of a kernel whose task_struct has the given members, each an int. */
export function kernelBtf(...members: readonly string[]): Uint8Array {
  return structBtf('task_struct', members);
}

/** structBtf returns BTF of a struct with the given members, each an int. */
export function structBtf(name: string, members: readonly string[]): Uint8Array {
  const builder = new Builder();
  const int = builder.add({ kind: 'INT', name: 'int', size: 4, encoding: 1, bits: 32, bitOffset: 0 });
  builder.add({
    kind: 'STRUCT',
    name,
    size: 4 * members.length,
    members: members.map((member, index) => ({
      name: member,
      typeId: int,
      bitOffset: 32 * index,
      bitfieldSize: 0,
    })),
  });
  return builder.marshal();
}

/** OLD_KERNEL is the BTF of a kernel before a member was renamed. */
export const OLD_KERNEL = kernelBtf('pid', 'real_start_time');
/** NEW_KERNEL is that of a later one. */
export const NEW_KERNEL = kernelBtf('pid', 'start_boottime');
/** START is the path of the renamed member, with both names. */
export const START = 'task_struct.start_boottime|task_struct.real_start_time';
/** MODULE is the BTF of a module. */
export const MODULE = structBtf('module_struct', ['a']);
/** OTHER_MODULE is that of another build of the module. */
export const OTHER_MODULE = structBtf('module_struct', ['b', 'a']);
