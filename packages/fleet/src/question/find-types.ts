import { compileGlob, type KindName, type NameTest, type Spec, type TypeId } from '@btfd/btf';
import { invalidArgument } from '../base/argument.js';

/** FoundType is a type of a kernel whose name matches. */
export interface FoundType {
  readonly id: TypeId;
  readonly kind: KindName;
  readonly name: string;
}

/** FindTypesOptions select types. */
export interface FindTypesOptions {
  /** The kinds of types. Default: every kind. */
  readonly kinds?: readonly KindName[] | undefined;
  /** The object of the kernel: `vmlinux`, or the name of a module, whose own types are searched. Default: `vmlinux`. */
  readonly object?: string | undefined;
}

/** nameTestOf compiles a glob. @throws BtfError INVALID_REQUEST for a mistake in it, with the name of the argument. */
export function nameTestOf(argument: string, glob: string): NameTest {
  try {
    return compileGlob(glob);
  } catch (error) {
    throw invalidArgument(argument, error instanceof Error ? error.message : String(error));
  }
}

/** typesOf returns the types of a Spec whose name and kind match, in the order of ids, without those of its base. */
export function typesOf(spec: Spec, test: NameTest, kinds: FindTypesOptions['kinds']): readonly FoundType[] {
  const found: FoundType[] = [];
  for (const id of spec.typeIds()) {
    const name = spec.nameOf(id);
    if (name === '' || !test(name)) continue;
    const { kind } = spec.typeById(id);
    if (kinds === undefined || kinds.includes(kind)) found.push({ id, kind, name });
  }
  return found;
}
