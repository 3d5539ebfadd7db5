import { ErrorReason, type SpecBase } from '@btfd/api';
import type { Caller } from '../auth/caller.js';
import { invalidRequest, ServiceError } from '../error/service-error.js';
import type { LoadedBtf } from './loaded-btf.js';
import type { SpecObject, SpecSource } from './spec-source.js';

/** Base is the base of split BTF. It is in use until it is disposed of. */
export interface Base extends Disposable {
  readonly btf: LoadedBtf;
}

/**
 * findBase returns the base of split BTF: the one that a request names, otherwise the running kernel's vmlinux. It returns
 * null if the object is not split, or if there is no such base.
 *
 * @throws ServiceError INVALID_REQUEST if the request names a base and the object is not split.
 */
export async function findBase(
  { btf }: SpecObject,
  base: SpecBase | undefined,
  specs: SpecSource,
  caller: Caller,
): Promise<Base | null> {
  if (!btf.split) {
    if (base?.source.case === undefined) return null;
    throw invalidRequest('base', 'is only for split BTF, and this BTF is not split');
  }
  const found =
    base?.source.case === undefined ? await vmlinux(specs) : await specs.find(base.source, caller);
  if (found?.btf.split !== true) return found;
  found[Symbol.dispose]();
  return null;
}

/**
 * requireBase is `findBase` for operations that need the base.
 *
 * @throws ServiceError MISSING_BASE if the object is split and there is no such base.
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
      ? `missing base types: ${name} is split BTF over the kernel’s BTF, which the daemon does not have`
      : `missing base types: the base given for ${name} is itself split BTF`,
  );
}

/** vmlinux is shared by all, so it counts for no caller. */
async function vmlinux(specs: SpecSource): Promise<Base | null> {
  const btf = await specs.vmlinux();
  return btf === null ? null : { btf, [Symbol.dispose]() {} };
}
