import { ErrorReason, Origin } from '@btfd/api';
import type { Caller } from '../auth/caller.js';
import { ServiceError } from '../error/service-error.js';
import type { ObjectList } from '../kernel/object-list.js';
import { originOf } from '../kernel/origin.js';
import type { SpecObject, SpecSource } from './spec-source.js';

/** LoadedModules are modules of the kernel with their BTF. It is in use until they are disposed of. */
export interface LoadedModules extends Disposable {
  readonly all: readonly SpecObject[];
}

/**
 * loadModules returns the BTF of modules of the kernel, in the order in which loaders search them: that of their ids.
 *
 * @param names the modules to return; null for all that are loaded. One that is unloaded meanwhile is left out then.
 * @throws ServiceError as `SpecSource.find` does, for one of `names` that is not a module also NAME_NOT_FOUND.
 * @throws the signal's reason if it aborts.
 */
export async function loadModules(
  names: readonly string[] | null,
  objects: Pick<ObjectList, 'visit'>,
  specs: Pick<SpecSource, 'find'>,
  { caller, signal }: { readonly caller: Caller; readonly signal: AbortSignal },
): Promise<LoadedModules> {
  const all: SpecObject[] = [];
  const loaded = {
    all,
    [Symbol.dispose]() {
      for (const object of all) object[Symbol.dispose]();
    },
  };
  try {
    const wanted = names === null ? null : new Set(names);
    for await (const info of objects.visit()) {
      signal.throwIfAborted();
      if (originOf(info) !== Origin.MODULE || wanted?.delete(info.name) === false) continue;
      const object = await findUnlessGone(info.name, specs, caller);
      if (object !== null) all.push(object);
      else wanted?.add(info.name);
    }
    for (const name of wanted ?? []) throw notLoaded(name);
    return loaded;
  } catch (error) {
    loaded[Symbol.dispose]();
    throw error;
  }
}

async function findUnlessGone(
  value: string,
  specs: Pick<SpecSource, 'find'>,
  caller: Caller,
): Promise<SpecObject | null> {
  try {
    return await specs.find({ case: 'name', value }, caller);
  } catch (error) {
    if (error instanceof ServiceError && error.reason === ErrorReason.NAME_NOT_FOUND) return null;
    throw error;
  }
}

function notLoaded(name: string): ServiceError {
  const message = `the kernel has no module named ${JSON.stringify(name)}`;
  return new ServiceError(ErrorReason.NAME_NOT_FOUND, message, { metadata: { name } });
}
