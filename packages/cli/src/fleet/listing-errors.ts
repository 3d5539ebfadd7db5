import type { NodeSource } from '@btfd/fleet';

/** withListingErrors returns a source whose listings fail with the error that a function returns for theirs. */
export function withListingErrors(source: NodeSource, errorFor: (error: unknown) => unknown): NodeSource {
  return {
    ...source,
    list: async (options) => {
      try {
        return await source.list(options);
      } catch (error) {
        throw errorFor(error);
      }
    },
  };
}
