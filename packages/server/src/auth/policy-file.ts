import { isScalar, isSeq, type ParsedNode } from 'yaml';
import { unknownName } from '../base/text.js';
import { readTrustedFile } from '../base/trusted-file.js';
import { YamlMap, type YamlField } from '../base/yaml-map.js';
import { errorMessage } from '../error/error-code.js';
import { higherRole, POLICY_LISTS, type PolicyRules, type Role } from './policy.js';
import { checkedPrincipal } from './principal.js';

/** More problems than this have one cause. */
const MAX_PROBLEMS = 20;

const SWITCHES = ['commonNames', 'defaults'] as const;
const KEYS = [...Object.keys(POLICY_LISTS), ...SWITCHES];

/** PolicyError reports a policy file that cannot be used. Its message has a line for each problem. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

/**
 * readPolicyFile reads a policy file, which is YAML with these keys. None is required:
 *
 * ```yaml
 * viewers: [gid:27]
 * inspectors: [uid:1000, uri:spiffe://example.org/agent]
 * loaders: [dns:builder.example.org]
 * commonNames: false  # true lets `cn:` principals stand for the common name of certificates
 * defaults: true      # false withdraws the roles that exist without a policy: root, the socket's group, anonymous
 * ```
 *
 * A principal in several lists has the highest of their roles.
 *
 * @throws PolicyError if `readTrustedFile` refuses the file, or if it is not a valid policy.
 */
export async function readPolicyFile(file: string): Promise<PolicyRules> {
  let content: Buffer;
  try {
    content = await readTrustedFile(file);
  } catch (error) {
    throw new PolicyError(`cannot use the policy ${file}: ${errorMessage(error)}`, { cause: error });
  }
  return parsePolicy(content.toString(), file);
}

/**
 * parsePolicy reads the text of a policy file.
 *
 * @throws PolicyError if the text is not a valid policy.
 */
export function parsePolicy(text: string, file: string): PolicyRules {
  const parser = new PolicyParser(text, file);
  const rules = parser.parse();
  if (parser.problems.length > 0) throw new PolicyError(parser.problems.slice(0, MAX_PROBLEMS).join('\n'));
  return rules;
}

class PolicyParser {
  readonly problems: string[] = [];
  readonly #map: YamlMap;
  readonly #roles = new Map<string, Role>();
  readonly #switches = { commonNames: false, defaults: true };

  constructor(text: string, file: string) {
    this.#map = new YamlMap(text, file, 'core', `a map with the keys ${KEYS.join(', ')}`);
    this.problems.push(...this.#map.problems);
  }

  parse(): PolicyRules {
    // Switches first, because they decide whether a `cn:` principal counts.
    const fields = this.#map.fields.toSorted((a, b) => Number(isSwitch(b.name)) - Number(isSwitch(a.name)));
    for (const field of fields) {
      const { name, key } = field;
      if (isList(name)) this.#readList(name, field);
      else if (isSwitch(name)) this.#readSwitch(name, field);
      else this.problems.push(`${this.#map.whereIs(key)}: ${unknownName('key', name, KEYS)}`);
    }
    return { roles: this.#roles, ...this.#switches };
  }

  #readSwitch(name: (typeof SWITCHES)[number], { key, value }: YamlField): void {
    if (isScalar(value) && typeof value.value === 'boolean') this.#switches[name] = value.value;
    else this.#problem(value ?? key, name, 'must be true or false');
  }

  #readList(name: keyof typeof POLICY_LISTS, { key, value }: YamlField): void {
    if (!isSeq<ParsedNode>(value)) {
      this.#problem(value ?? key, name, 'must be a list of principals');
      return;
    }
    for (const [index, item] of value.items.entries()) {
      const field = `${name}[${index}]`;
      if (!isScalar(item) || typeof item.value !== 'string') {
        this.#problem(item, field, 'must be a principal, such as uid:1000');
        continue;
      }
      try {
        const principal = checkedPrincipal(item.value, this.#switches.commonNames);
        const role = POLICY_LISTS[name];
        this.#roles.set(principal, higherRole(this.#roles.get(principal) ?? null, role) ?? role);
      } catch (error) {
        this.#problem(item, field, errorMessage(error));
      }
    }
  }

  #problem(node: ParsedNode, field: string, problem: string): void {
    this.problems.push(`${this.#map.whereIs(node)}: ${field}: ${problem}`);
  }
}

function isList(name: string): name is keyof typeof POLICY_LISTS {
  return Object.hasOwn(POLICY_LISTS, name);
}

function isSwitch(name: string): name is (typeof SWITCHES)[number] {
  return SWITCHES.some((each) => each === name);
}
