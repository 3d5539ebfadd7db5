import type { Spec } from '@btfd/btf';
import type { BtfClient, HandleInfo, TransferOptions } from '@btfd/client';
import { objectName } from './spec-ref.js';

/** NamedSpec is an object with its types. */
export interface NamedSpec {
  readonly info: HandleInfo;
  readonly spec: Spec;
}

/** Requests has the options of requests. */
export interface Requests {
  /** Ends the whole iteration. */
  readonly interrupted: AbortSignal;
  /** The signal of one request. */
  readonly requestSignal: () => AbortSignal;
  /** The options of one transfer. */
  readonly transferOptions: (source: string) => TransferOptions;
}

/**
 * everySpec iterates over the objects of a node with their types, in the order of their ids. Each object is held open
 * while it is read. A daemon that cannot list ids reads the kernel's own objects by name.
 *
 * @param unreadable is called for each object whose types cannot be read.
 */
export async function* everySpec(
  client: BtfClient,
  { interrupted, requestSignal, transferOptions }: Requests,
  unreadable: (info: HandleInfo, error: unknown) => void,
): AsyncGenerator<NamedSpec, void, undefined> {
  const { operations } = await client.serverInfo({ signal: requestSignal() });
  const holds = operations.some(({ operation, available }) => operation === 'list-ids' && available);
  const objects = holds
    ? client.iterateHandles({ signal: interrupted })
    : (await client.listObjects({ signal: requestSignal() })).map((info) => ({
        info,
        spec: async (options: TransferOptions) => client.spec(info.name, options),
      }));
  for await (const object of objects) {
    const options = transferOptions(objectName(object.info));
    let spec: Spec;
    try {
      spec = await object.spec(options);
    } catch (error) {
      options.signal?.throwIfAborted();
      unreadable(object.info, error);
      continue;
    }
    yield { info: object.info, spec };
  }
}
