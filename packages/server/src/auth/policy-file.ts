import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type ParsedNode } from 'yaml';
import { errorMessage } from '../error/error-code.js';
import { type PolicyRules, higherRole, type Role } from './policy.js';
import { parsePrincipal } from './principal.js';

/** Thousands of principals fit. */
const MAX_BYTES = 1024 * 1024;
/** More problems than this have one cause. */
const MAX_PROBLEMS = 20;

/** POLICY_LISTS are the lists of principals in a policy, by the role that they give. */
export const POLICY_LISTS = {
  viewers: 'viewer',
  inspectors: 'inspector',
  loaders: 'loader',
} as const satisfies Record<string, Role>;

const SWITCHES = ['commonNames', 'defaults'] as const;
const KEYS = [...Object.keys(POLICY_LISTS), ...SWITCHES];

/** PolicyError is a policy file that can't be used; its message has a line for each problem: file, line, field, what. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
}

/**
 * readPolicyFile reads a policy file, which is YAML with these fields, none of them required:
 *
 * ```yaml
 * viewers: [gid:27]
 * inspectors: [uid:1000, uri:spiffe://example.org/agent]
 * loaders: [dns:builder.example.org]
 * commonNames: false  # true lets `cn:` principals stand for the common name of certificates
 * defaults: true      # false withdraws what holds without a policy: root, the socket's group, anonymous
 * ```
 *
 * A principal in several lists has the highest of their roles.
 *
 * @throws PolicyError
 */
export function readPolicyFile(file: string): PolicyRules {
  return parsePolicy(readBounded(file), file);
}

/** parsePolicy reads the text of a policy file. */
export function parsePolicy(text: string, file: string): PolicyRules {
  const parser = new PolicyParser(text, file);
  const rules = parser.parse();
  if (parser.problems.length > 0) throw new PolicyError(parser.problems.slice(0, MAX_PROBLEMS).join('\n'));
  return rules;
}

function readBounded(file: string): string {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    throw new PolicyError(`${file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new PolicyError(`${file}: is no file`);
    if (stat.size > MAX_BYTES) throw new PolicyError(`${file}: has more than ${MAX_BYTES} bytes`);
    if ((stat.mode & 0o002) !== 0) {
      throw new PolicyError(`${file}: every user may write it, so it says nothing of who may do what`);
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

class PolicyParser {
  readonly problems: string[] = [];
  private readonly lines = new LineCounter();
  private readonly roles = new Map<string, Role>();
  private readonly switches = { commonNames: false, defaults: true };

  constructor(
    private readonly text: string,
    private readonly file: string,
  ) {}

  parse(): PolicyRules {
    const document = parseDocument(this.text, { lineCounter: this.lines, prettyErrors: false });
    for (const { pos, message } of document.errors) this.problem(pos[0], null, message);
    if (document.errors.length === 0) this.root(document.contents);
    return { roles: this.roles, ...this.switches };
  }

  private root(contents: ParsedNode | null): void {
    // A file of nothing but comments says nothing.
    if (contents === null || (isScalar(contents) && contents.value === null)) return;
    if (!isMap(contents)) {
      this.problem(contents.range[0], null, `must have fields: ${KEYS.join(', ')}`);
      return;
    }
    // Switches first: a `cn:` principal is judged by them.
    const pairs = contents.items.toSorted((a, b) => rank(a.key) - rank(b.key));
    for (const { key, value } of pairs) this.field(key, value);
  }

  private field(key: ParsedNode, value: ParsedNode | null): void {
    const name = isScalar(key) && typeof key.value === 'string' ? key.value : String(key);
    const at = key.range[0];
    if (isList(name)) this.list(name, at, value);
    else if (isSwitch(name)) this.switch(name, at, value);
    else this.problem(at, name, `is no field of a policy: write ${KEYS.join(', ')}`);
  }

  private switch(name: (typeof SWITCHES)[number], at: number, value: ParsedNode | null): void {
    if (isScalar(value) && typeof value.value === 'boolean') this.switches[name] = value.value;
    else this.problem(value?.range[0] ?? at, name, 'must be true or false');
  }

  private list(name: keyof typeof POLICY_LISTS, at: number, value: ParsedNode | null): void {
    if (!isSeq(value)) {
      this.problem(value?.range[0] ?? at, name, 'must be a list of principals');
      return;
    }
    for (const [index, item] of value.items.entries()) {
      const field = `${name}[${index}]`;
      if (!isScalar(item) || typeof item.value !== 'string') {
        this.problem(item.range[0], field, 'must be a principal, such as uid:1000');
        continue;
      }
      try {
        const principal = checkedPrincipal(item.value, this.switches.commonNames);
        const role = POLICY_LISTS[name];
        this.roles.set(principal, higherRole(this.roles.get(principal) ?? null, role) ?? role);
      } catch (error) {
        this.problem(item.range[0], field, errorMessage(error));
      }
    }
  }

  private problem(offset: number, field: string | null, what: string): void {
    const { line } = this.lines.linePos(offset);
    this.problems.push(`${this.file}:${line}: ${field === null ? '' : `${field}: `}${what}`);
  }
}

/** checkedPrincipal is `parsePrincipal`, but a common name must count. */
export function checkedPrincipal(text: string, commonNames: boolean): string {
  const principal = parsePrincipal(text);
  if (principal.startsWith('cn:') && !commonNames) {
    throw new Error('common names do not count unless commonNames is true');
  }
  return principal;
}

function isList(name: string): name is keyof typeof POLICY_LISTS {
  return Object.hasOwn(POLICY_LISTS, name);
}

function isSwitch(name: string): name is (typeof SWITCHES)[number] {
  return SWITCHES.some((each) => each === name);
}

function rank(key: ParsedNode): number {
  return isScalar(key) && typeof key.value === 'string' && isSwitch(key.value) ? 0 : 1;
}
