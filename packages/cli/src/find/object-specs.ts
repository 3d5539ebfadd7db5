import { setImmediate } from 'node:timers/promises';
import type { Spec } from '@btfd/btf';
import type { HandleInfo } from '@btfd/client';
import { explainError } from '../error/explain-error.js';
import type { FindOptions } from '../grammar/find.js';
import type { Session } from '../session/session.js';
import { everySpec } from '../source/every-spec.js';
import { noteUnknown } from '../source/source.js';
import { objectName, parseSpecRef } from '../source/spec-ref.js';

/**
 * objectSpecs iterates over the objects that `find` searches, with their names: that of `--in`, otherwise all of the node. It
 * warns about those that cannot be read.
 */
export async function* objectSpecs(
  session: Session,
  { in: where, base }: Pick<FindOptions, 'in' | 'base'>,
): AsyncGenerator<readonly [object: string, spec: Spec], void, undefined> {
  if (where !== undefined) {
    const source = await session.source(parseSpecRef(where), base);
    yield [source.label, await source.spec()];
    return;
  }
  const local = await session.localKernel();
  const unreadable = (info: HandleInfo, error: unknown): void => skipped(session, objectName(info), error);
  if (local !== null) {
    for (const info of local.objects()) {
      await setImmediate();
      session.interrupted.throwIfAborted();
      let spec: Spec;
      try {
        spec = await local.source({ kind: 'name', name: info.name }, null).spec();
      } catch (error) {
        unreadable(info, error);
        continue;
      }
      yield [info.name, spec];
    }
    return;
  }
  for await (const { info, spec } of everySpec(await session.client(), session, unreadable)) {
    noteUnknown(spec.notes, objectName(info), session.noteOnce);
    yield [objectName(info), spec];
  }
}

/** skipped warns about an object that cannot be read. */
export function skipped(session: Session, object: string, error: unknown): void {
  session.warn(`skipped ${object}: ${explainError(error).message}`);
}
