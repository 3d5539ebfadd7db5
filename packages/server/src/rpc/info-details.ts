import { InfoDetail, Operation, type HandleInfoSchema } from '@btfd/api';
import { requireRole, type Caller } from '../auth/caller.js';
import { invalidRequest } from '../error/service-error.js';
import type { CallFacts } from '../grpc/interceptor/call-observer.js';
import type { Init } from '../base/message.js';
import type { ObjectInfo } from '../kernel/kernel.js';
import type { ListedObject } from '../kernel/object-list.js';
import type { Services } from './services.js';
import type { SpecSource } from '../source/spec-source.js';
import type { UserIndex } from '../users/user-index.js';

/** InfoDetails are the fields of an object's info that it has on request. */
export type InfoDetails = Pick<Init<typeof HandleInfoSchema>, 'digest' | 'users'>;

/** AskedDetails are what a request wants to be told besides. */
export interface AskedDetails {
  readonly digest: boolean;
  /** Who uses the objects, which is being found out; null where that wasn't asked. */
  readonly users: Promise<UserIndex> | null;
}

/**
 * askDetails checks the details that a request names, and starts to look for users if they are among them.
 *
 * @throws ServiceError with INVALID_REQUEST for an unknown detail; with the refusal of OPEN_BY_ID for users,
 * because programs and maps are walked by id as BTF objects are; with ROLE_FORBIDS for users if the caller is no
 * inspector.
 */
export function askDetails(
  details: readonly InfoDetail[],
  { access, users }: Pick<Services, 'access' | 'users'>,
  caller: Caller,
): AskedDetails {
  for (const [index, detail] of details.entries()) {
    if (!KNOWN.has(detail)) throw invalidRequest(`details[${index}]`, `${detail} is no detail`);
  }
  const asksUsers = details.includes(InfoDetail.USERS);
  if (asksUsers) requireRole(caller, 'inspector', 'who uses an object');
  if (asksUsers) access.require(Operation.OPEN_BY_ID);
  return { digest: details.includes(InfoDetail.DIGEST), users: asksUsers ? users.scan() : null };
}

/** detailsOf tells of an object what was asked. It may be closed once this is under way. */
export async function detailsOf(
  object: ListedObject,
  asked: AskedDetails,
  specs: SpecSource,
): Promise<InfoDetails> {
  const [digest, users] = await Promise.all([asked.digest ? specs.digest(object) : null, asked.users]);
  return {
    ...(digest === null ? {} : { digest }),
    ...(users === null ? {} : { users: users.of(object.info.id) }),
  };
}

/** factsOf returns what the observers of a call get of the object that it is about. */
export function factsOf({ id, size }: ObjectInfo): CallFacts {
  return { btfId: id, btfBytes: size };
}

const KNOWN: ReadonlySet<InfoDetail> = new Set([InfoDetail.DIGEST, InfoDetail.USERS]);
