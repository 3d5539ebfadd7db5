import type { ServerDetail as ServerDetailNumber } from '@btfd/api';
import { SERVER_DETAIL_NUMBERS } from '../base/enum-numbers.js';
import { CALL_RULES, type CallOptions } from '../call/call-options.js';
import { aListOf, oneOf, type Rules } from '../error/argument.js';

/** ServerDetail is a costly part of a daemon's info, which it has only on request: its `digests`. */
export type ServerDetail = 'digests';

/** ServerInfoOptions are the options of `serverInfo`. */
export interface ServerInfoOptions extends CallOptions {
  /**
   * The parts to add to the info. For `digests` the daemon reads the BTF of the kernel and of all modules once. Default:
   * none, because they are costly.
   */
  readonly details?: readonly ServerDetail[] | undefined;
}

/** serverDetailNumbers returns the numbers of details in messages. */
export function serverDetailNumbers(details: readonly ServerDetail[]): ServerDetailNumber[] {
  return details.map((detail) => SERVER_DETAIL_NUMBERS[detail]);
}

/** SERVER_INFO_RULES are the rules of {@link ServerInfoOptions}. */
export const SERVER_INFO_RULES: Rules<ServerInfoOptions> = {
  ...CALL_RULES,
  details: aListOf(oneOf(SERVER_DETAIL_NUMBERS)),
};
