import { InfoDetail as InfoDetailNumber } from '@btfd/api';
import { aListOf, oneOf, type Rules } from '../error/argument.js';

/** InfoDetail is what an object's info has on request, because it costs: its `digest`, and its `users`. */
export type InfoDetail = 'digest' | 'users';

/** DetailOptions are the options of a call that answers infos. */
export interface DetailOptions {
  /**
   * What infos are to have besides. For `users` the daemon looks at all programs, maps and processes of its machine,
   * once for each call; it needs CAP_SYS_ADMIN. Default: nothing.
   */
  readonly details?: readonly InfoDetail[] | undefined;
}

/** detailNumbers are the details' numbers in messages. */
export function detailNumbers(details: readonly InfoDetail[]): InfoDetailNumber[] {
  return details.map((detail) => NUMBERS[detail]);
}

const NUMBERS = {
  digest: InfoDetailNumber.DIGEST,
  users: InfoDetailNumber.USERS,
} as const satisfies Record<InfoDetail, InfoDetailNumber>;

/** DETAIL_RULES are the rules of {@link DetailOptions}. */
export const DETAIL_RULES: Rules<DetailOptions> = { details: aListOf(oneOf(NUMBERS)) };
