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

/** InfoDetails are the fields of an object's info that are filled in on request only. */
export type InfoDetails = Pick<Init<typeof HandleInfoSchema>, 'digest' | 'users'>;

/** AskedDetails are the requested details. */
export interface AskedDetails {
  readonly digest: boolean;
  /** The users of all objects, once the scan has ended; null if they are not requested. */
  readonly users: Promise<UserIndex> | null;
}

/**
 * askDetails checks the details that a request names. If it names users, the scan for them starts now.
 *
 * @throws ServiceError INVALID_REQUEST for an unknown detail.
 * @throws ServiceError ROLE_FORBIDS if the request names users and the caller is not an inspector.
 * @throws ServiceError if the request names users and the daemon cannot list ids: programs and maps are walked by id too.
 */
export function askDetails(
  details: readonly InfoDetail[],
  { access, users }: Pick<Services, 'access' | 'users'>,
  caller: Caller,
): AskedDetails {
  for (const [index, detail] of details.entries()) {
    if (!KNOWN.has(detail)) throw invalidRequest(`details[${index}]`, `${detail} is not a detail`);
  }
  const asksUsers = details.includes(InfoDetail.USERS);
  if (asksUsers) requireRole(caller, 'inspector', 'listing the users of an object');
  if (asksUsers) access.require(Operation.LIST_IDS);
  return { digest: details.includes(InfoDetail.DIGEST), users: asksUsers ? users.scan() : null };
}

/** detailsOf returns the requested details of an object. The object may be closed as soon as the call returns. */
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

/** factsOf returns the facts about the object of a call. */
export function factsOf({ id, size }: ObjectInfo): CallFacts {
  return { btfId: id, btfBytes: size };
}

const KNOWN: ReadonlySet<InfoDetail> = new Set([InfoDetail.DIGEST, InfoDetail.USERS]);
