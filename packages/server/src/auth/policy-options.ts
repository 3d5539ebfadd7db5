import { errorMessage } from '../error/error-code.js';
import {
  higherRole,
  mergeRules,
  NO_RULES,
  Policy,
  POLICY_LISTS,
  type PolicyRules,
  type Role,
} from './policy.js';
import { checkedPrincipal } from './principal.js';

/** PolicyOptions give roles to principals: by a file, by lists, or by both. */
export interface PolicyOptions {
  /** A policy file, read again when it changes. */
  readonly file?: string | null;
  readonly viewers?: readonly string[];
  readonly inspectors?: readonly string[];
  readonly loaders?: readonly string[];
  /** Whether `cn:` principals stand for the common name of certificates. Default: no. */
  readonly commonNames?: boolean;
}

/**
 * readPolicy returns the policy of the options and of the file that they name.
 *
 * @throws PolicyError if `readTrustedFile` refuses the file, or if it is not valid.
 * @throws Error if a list has an invalid principal. It names the list.
 */
export async function readPolicy(options: PolicyOptions, ownUid: number): Promise<Policy> {
  const { file } = options;
  const fromFile = file === undefined || file === null ? NO_RULES : await rulesOfFile(file);
  return new Policy(mergeRules(fromFile, rulesOfOptions(options)), ownUid);
}

async function rulesOfFile(file: string): Promise<PolicyRules> {
  // Imported here, because it loads the parser of YAML, which most daemons do not need.
  const { readPolicyFile } = await import('./policy-file.js');
  return readPolicyFile(file);
}

function rulesOfOptions(options: PolicyOptions): PolicyRules {
  const { commonNames = false } = options;
  const roles = new Map<string, Role>();
  for (const list of ['viewers', 'inspectors', 'loaders'] as const) {
    for (const text of options[list] ?? []) {
      const principal = principalOf(list, text, commonNames);
      const role = POLICY_LISTS[list];
      roles.set(principal, higherRole(roles.get(principal) ?? null, role) ?? role);
    }
  }
  return { roles, commonNames, defaults: true };
}

function principalOf(list: keyof typeof POLICY_LISTS, text: string, commonNames: boolean): string {
  try {
    return checkedPrincipal(text, commonNames);
  } catch (error) {
    throw new Error(`${list}: ${errorMessage(error)}`, { cause: error });
  }
}
