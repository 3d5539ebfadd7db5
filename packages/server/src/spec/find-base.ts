import { ErrorReason, type SpecBase } from '@btfd/api';
import type { Caller } from '../auth/caller.js';
import { ServiceError } from '../error/service-error.js';
import type { LoadedBtf } from './loaded-btf.js';
import type { SpecName } from './spec-name.js';
import type { SpecObject, SpecSource } from './spec-source.js';

/**
 * findBase finds the base of split BTF: the one that a request names, or the running kernel's vmlinux. Null
 * where the object is not split, and where there is no such base.
 */
export async function findBase(
  { btf }: SpecObject,
  base: SpecBase | undefined,
  specs: SpecSource,
  caller: Caller,
): Promise<LoadedBtf | null> {
  if (!btf.split) return null;
  const found =
    base?.source.case === undefined ? await specs.vmlinux() : await named(base.source, specs, caller);
  return found === null || found.split ? null : found;
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
): Promise<LoadedBtf | null> {
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

async function named(name: SpecName, specs: SpecSource, caller: Caller): Promise<LoadedBtf> {
  using found = await specs.find(name, caller);
  return found.btf;
}
