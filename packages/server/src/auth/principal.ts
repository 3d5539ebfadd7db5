/** ANONYMOUS is the principal of every caller on a connection that tells nothing: loopback TCP without TLS. */
export const ANONYMOUS = 'anonymous';

/** `(uid_t)-1` is no user. */
const MAX_ID = 0xffff_fffe;

/**
 * What the kernel shows of a user or group of another user namespace that has no number in this one: whoever is
 * granted something by it grants it to all of these.
 */
export const OVERFLOW_ID = 65_534;

/**
 * parsePrincipal checks the name of a principal, and gives it in the form in which principals are compared:
 *
 * - `uid:1000`, `gid:27`: a user or group of a unix socket's peer, by number; supplementary groups count;
 * - `uri:spiffe://example.org/agent`, `dns:agent.example.org`: a name of a certificate (subject alternative name),
 *   compared whole; a DNS name without regard to case;
 * - `cn:agent`: the common name of a certificate's subject;
 * - `anonymous`: whoever connects to loopback TCP without TLS.
 *
 * @throws Error that says what is wrong with it.
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
      if (!/^[a-z][a-z0-9+.-]*:[!-~]+$/i.test(value)) throw new Error(`${quoted(value)} is no URI`);
      return text;
    case 'dns':
      return `dns:${parseDnsName(value)}`;
    case 'cn':
      if (value === '') throw new Error('a common name is empty');
      return text;
    default:
      throw new Error(
        `${quoted(text)} is no principal: write uid:NUMBER, gid:NUMBER, uri:URI, dns:NAME, cn:NAME or ${ANONYMOUS}`,
      );
  }
}

function parseId(type: 'uid' | 'gid', value: string): number {
  const id = Number(value);
  if (!/^\d{1,10}$/.test(value) || id > MAX_ID) {
    throw new Error(`${quoted(value)} is no ${type}: write a number, not a name`);
  }
  if (id === OVERFLOW_ID) {
    throw new Error(
      `${type} ${id} stands for everybody of other user namespaces, so it cannot be given a role`,
    );
  }
  return id;
}

function parseDnsName(value: string): string {
  if (value.includes('*')) throw new Error(`${quoted(value)} has a wildcard: names are compared whole`);
  if (!/^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i.test(value))
    throw new Error(`${quoted(value)} is no DNS name`);
  return value.toLowerCase();
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
