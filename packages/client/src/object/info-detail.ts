import type { InfoDetail as InfoDetailNumber } from '@btfd/api';
import { DETAIL_NUMBERS } from '../base/enum-numbers.js';
import { aListOf, oneOf, type Rules } from '../error/argument.js';

/** InfoDetail is a costly part of an object's info, which it has only on request: its `digest` or its `users`. */
export type InfoDetail = 'digest' | 'users';

/** DetailOptions are the options of a call that returns infos. */
export interface DetailOptions {
  /**
   * The parts to add to the infos. For `users` the daemon reads all programs, maps and processes of its machine once
   * per call, for which it needs CAP_SYS_ADMIN and the caller the role inspector. Default: none, because they are costly.
   */
  readonly details?: readonly InfoDetail[] | undefined;
}

/** detailNumbers returns the numbers of details in messages. */
export function detailNumbers(details: readonly InfoDetail[]): InfoDetailNumber[] {
  return details.map((detail) => DETAIL_NUMBERS[detail]);
}

/** DETAIL_RULES are the rules of {@link DetailOptions}. */
export const DETAIL_RULES: Rules<DetailOptions> = { details: aListOf(oneOf(DETAIL_NUMBERS)) };
