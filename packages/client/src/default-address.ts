/**
 * defaultAddress is where a daemon of the same user listens unless it was told otherwise:
 * `unix:/run/btfd/btfd.sock` for root, `unix:$XDG_RUNTIME_DIR/btfd/btfd.sock` for others. Where that variable
 * is not set, it is root's daemon.
 */
export function defaultAddress(): string {
  const runtimeDir = process.env['XDG_RUNTIME_DIR'];
  const isRoot = process.getuid?.() === 0;
  return `unix:${isRoot || runtimeDir === undefined ? '/run' : runtimeDir}/btfd/btfd.sock`;
}
