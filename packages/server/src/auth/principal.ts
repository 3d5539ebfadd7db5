/** ANONYMOUS is the principal of every caller on loopback TCP without TLS: such a connection proves nothing. */
export const ANONYMOUS = 'anonymous';

/** `(uid_t)-1` is not a user. */
const MAX_ID = 0xffff_fffe;

/**
 * OVERFLOW_ID is the number that the kernel shows for any user or group of another user namespace that has no number in
 * this one. A role for it would be a role for all of them.
 */
export const OVERFLOW_ID = 65_534;

/**
 * parsePrincipal checks the name of a principal, and returns it in the form in which principals are compared:
 *
 * - `uid:1000`, `gid:27`: a user or group of a unix socket's peer, by number. Supplementary groups count.
 * - `uri:spiffe://example.org/agent`, `dns:agent.example.org`: a subject alternative name of a certificate. It is compared
 *   as a whole, a DNS name case-insensitively.
 * - `cn:agent`: the common name of a certificate's subject.
 * - `anonymous`: every caller on loopback TCP without TLS.
 *
 * @throws Error if it is not a principal.
 */
export function parsePrincipal(text: string): string {
  if (text === ANONYMOUS) return text;
  const colon = text.indexOf(':');
  const type = text.slice(0, Math.max(0, colon));
  const value = text.slice(colon + 1);
  switch (type) {
    case 'uid':
    case 'gid':
      return `${type}:${parseId(type, value)}`;
    case 'uri':
      if (!/^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(value)) throw new Error(`${quoted(value)} is not a URI`);
      return text;
    case 'dns':
      return `dns:${parseDnsName(value)}`;
    case 'cn':
      if (value === '') throw new Error('the common name is empty');
      return text;
    default:
      throw new Error(
        `${quoted(text)} is not a principal: use uid:NUMBER, gid:NUMBER, uri:URI, dns:NAME, cn:NAME or ${ANONYMOUS}`,
      );
  }
}

/**
 * checkedPrincipal returns a principal in its canonical form.
 *
 * @throws Error if the text is not a principal, or is a common name while these do not count.
 */
export function checkedPrincipal(text: string, commonNames: boolean): string {
  const principal = parsePrincipal(text);
  if (principal.startsWith('cn:') && !commonNames) {
    throw new Error('common names do not count unless commonNames is true');
  }
  return principal;
}

function parseId(type: 'uid' | 'gid', value: string): number {
  const id = Number(value);
  if (!/^\d{1,10}$/.test(value) || id > MAX_ID) {
    throw new Error(`${quoted(value)} is not a ${type}: use a number, not a name`);
  }
  if (id === OVERFLOW_ID) {
    throw new Error(`${type} ${id} stands for every user of other user namespaces, so it cannot have a role`);
  }
  return id;
}

function parseDnsName(value: string): string {
  if (value.includes('*')) throw new Error(`${quoted(value)} has a wildcard: list each name in full`);
  if (!/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i.test(value))
    throw new Error(`${quoted(value)} is not a DNS name`);
  return value.toLowerCase();
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
