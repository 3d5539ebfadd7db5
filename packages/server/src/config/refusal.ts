import { formatAddress, isLoopback, type Address } from '../base/address.js';

/** whyRefused says why an address may not be listened on, or null: TCP needs TLS, or loopback and consent. */
export function whyRefused(
  address: Address,
  { tls, insecure }: { readonly tls: boolean; readonly insecure: boolean },
): string | null {
  if (address.kind === 'unix' || tls) return null;
  const where = formatAddress(address);
  if (!insecure) return `${where} has no TLS: any local user could connect; allow it with --insecure`;
  return isLoopback(address) ? null : `${where} is not loopback: without TLS nothing else is allowed`;
}
