import type { Spec } from '@btfd/btf';
import type { BtfClient, HandleInfo } from '@btfd/client';

/** NamedSpec is an object with its types. */
export interface NamedSpec {
  readonly info: HandleInfo;
  readonly spec: Spec;
}

/** Signals end what takes too long. */
export interface Signals {
  readonly interrupted: AbortSignal;
  readonly requestSignal: () => AbortSignal;
}

/**
 * everySpec goes through the objects of a node with their types, in the order of their ids. Each is held open while it
 * is read, where the daemon can do that; else the kernel's own are read by name.
 *
 * @param unreadable told of an object whose types cannot be had.
 * @param signals the signal of the whole, and what makes the signal of one request.
 */
export async function* everySpec(
  client: BtfClient,
  { interrupted, requestSignal: signal }: Signals,
  unreadable: (info: HandleInfo, error: unknown) => void,
): AsyncGenerator<NamedSpec, void, undefined> {
  const { operations } = await client.serverInfo({ signal: signal() });
  const holds = operations.some(({ operation, available }) => operation === 'open-by-id' && available);
  const objects = holds
    ? client.iterateHandles({ signal: interrupted })
    : (await client.listObjects({ signal: signal() })).map((info) => ({
        info,
        spec: async (options: { signal: AbortSignal }) => client.spec(info.name, options),
      }));
  for await (const object of objects) {
    const asked = signal();
    let spec: Spec;
    try {
      spec = await object.spec({ signal: asked });
    } catch (error) {
      asked.throwIfAborted();
      unreadable(object.info, error);
      continue;
    }
    yield { info: object.info, spec };
  }
}
