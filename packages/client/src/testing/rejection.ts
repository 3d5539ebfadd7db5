/** rejection is what a promise was rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('resolved instead of being rejected');
    },
    (error: unknown) => error,
  );
}
