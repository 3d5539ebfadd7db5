import { hostname } from 'node:os';
import type { RegistrationState } from '@btfd/fleet/etcd';
import { usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import { etcdFailure, etcdOf } from '../fleet/etcd.js';
import type { FleetRegisterOptions } from '../grammar/fleet-register.js';
import type { Session } from '../session/session.js';

/** fleetRegister runs `btfctl fleet register`. */
export async function fleetRegister(session: Session, options: FleetRegisterOptions): Promise<number> {
  const { name = hostname(), advertise, label = [] } = options;
  const address = advertise ?? (await ownAddress(session));
  const labels = Object.fromEntries(label.map(labelOf));
  const etcd = await etcdOf(session, options);
  const daemon = await session.client();
  const { registerNode } = await import('@btfd/fleet/etcd');
  const onState = (state: RegistrationState): void => tell(session, state, `${name} (${address})`);
  try {
    const node = { ...etcd, name, address, labels, daemon, signal: session.interrupted, onState };
    await using registration = registerNode(node);
    await registration.ended;
  } catch (error) {
    throw etcdFailure(error);
  }
  return ExitCode.OK;
}

/** Returns the address of the daemon of the command, if others can use it. */
async function ownAddress(session: Session): Promise<string> {
  const { address } = await session.target();
  const host = address.replace(/:\d+$/, '');
  if (!/^(?:unix:|localhost$|127[.]|\[::1\]$)/.test(host)) return address;
  throw usageError(
    `other machines cannot reach the daemon at ${address}`,
    'name its address for others with --advertise HOST:PORT',
  );
}

function labelOf(text: string): readonly [key: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw usageError(`--label ${JSON.stringify(text)} is not KEY=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function tell(session: Session, state: RegistrationState, node: string): void {
  switch (state.kind) {
    case 'registered':
      session.note(`btfctl: registered ${node}`);
      return;
    case 'waiting':
      session.warn(`not registered, because the daemon does not respond: ${state.error.rawMessage}`);
      return;
    case 'retrying':
      session.warn(`${state.error.rawMessage}; trying again`);
      return;
    case 'expiring':
      session.warn(`the lease is not revoked, so the key only expires: ${state.error.rawMessage}`);
  }
}
