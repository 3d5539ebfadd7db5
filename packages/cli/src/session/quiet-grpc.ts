/**
 * quietGrpc turns off the lines that grpc-js writes to standard error, for example about proxies: btfctl reports these
 * errors itself. grpc-js reads this setting when it is loaded.
 */
export function quietGrpc(): void {
  process.env['GRPC_VERBOSITY'] ??= 'NONE';
}
