import { ErrorReason, type SpecBase } from '@btfd/api';
import type { Caller } from '../auth/caller.js';
import { ServiceError } from '../error/service-error.js';
import type { LoadedBtf } from './loaded-btf.js';
import type { SpecObject, SpecSource } from './spec-source.js';

/** Base is the base of split BTF, in use until it is disposed of. */
export interface Base extends Disposable {
  readonly btf: LoadedBtf;
}

/**
 * findBase finds the base of split BTF: the one that a request names, or the running kernel's vmlinux. Null
 * where the object is not split, and where there is no such base.
 */
export async function findBase(
  { btf }: SpecObject,
  base: SpecBase | undefined,
  specs: SpecSource,
  caller: Caller,
): Promise<Base | null> {
  if (!btf.split) return null;
  const found =
    base?.source.case === undefined ? await vmlinux(specs) : await specs.find(base.source, caller);
  if (found?.btf.split !== true) return found;
  found[Symbol.dispose]();
  return null;
}

/**
 * requireBase is `findBase`, but split BTF must have its base.
 *
 * @throws ServiceError with MISSING_BASE.
 */
export async function requireBase(
  object: SpecObject,
  base: SpecBase | undefined,
  specs: SpecSource,
  caller: Caller,
): Promise<Base | null> {
  const found = await findBase(object, base, specs, caller);
  if (found !== null || !object.btf.split) return found;
  const name = JSON.stringify(object.info.name);
  throw new ServiceError(
    ErrorReason.MISSING_BASE,
    base?.source.case === undefined
      ? `missing base types: ${name} continues the kernel’s BTF, which the daemon does not have`
      : `missing base types: the base given for ${name} is split BTF itself`,
  );
}

/** Everybody's, so that it counts for nobody. */
async function vmlinux(specs: SpecSource): Promise<Base | null> {
  const btf = await specs.vmlinux();
  return btf === null ? null : { btf, [Symbol.dispose]() {} };
}
