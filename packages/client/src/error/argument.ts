import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';

/** The largest number of a `google.protobuf.Duration`: about 10,000 years. */
const MAX_DURATION_MS = 315_576_000_000_000;
const MAX_UINT32 = 0xffff_ffff;

/** Rule checks an argument. @throws BtfError INVALID_REQUEST that names the argument and says what was expected. */
export type Rule = (field: string, value: unknown) => void;

/** Rules are the rules of options: an option without a rule does not compile. A rule checks only a value that is given. */
export type Rules<T> = Readonly<Record<keyof T, Rule>>;

/** invalidArgument returns the error for an argument that cannot be sent, with the daemon's code and reason for it. */
export function invalidArgument(field: string, description: string, cause?: unknown): BtfError {
  return new BtfError({
    code: status.INVALID_ARGUMENT,
    reason: 'INVALID_REQUEST',
    message: `${field}: ${description}`,
    fieldViolations: [{ field, description }],
    cause,
  });
}

/** checkOptions checks the options of a call by their rules. @throws BtfError INVALID_REQUEST. */
export function checkOptions<T extends object>(options: T, rules: NoInfer<Rules<T>>): void {
  checkFields('', 'options', options, rules);
}

/**
 * checkFields checks an argument whose fields have rules, such as a selection. A field without a rule is unknown.
 *
 * @throws BtfError INVALID_REQUEST.
 */
export function checkFields<T extends object>(
  prefix: string,
  name: string,
  value: unknown,
  rules: Rules<T>,
): void {
  for (const [key] of fieldsOf(name, value)) {
    if (Object.hasOwn(rules, key)) continue;
    throw invalidArgument(`${prefix}${key}`, `unknown option: use one of ${Object.keys(rules).join(', ')}`);
  }
  // Inherited fields count too.
  for (const [key, check] of Object.entries<Rule>(rules)) {
    const field: unknown = isObject(value) ? value[key] : undefined;
    if (field !== undefined) check(`${prefix}${key}`, field);
  }
}

/** fieldsOf returns the keys and values of an argument. @throws BtfError INVALID_REQUEST if it is not an object. */
export function fieldsOf(name: string, value: unknown): (readonly [string, unknown])[] {
  anObject(name, value);
  return isObject(value) ? Object.entries(value) : [];
}

/** rule returns the rule that something holds for a value. */
export function rule(expected: string, holds: (value: unknown) => boolean): Rule {
  return (field, value) => {
    if (!holds(value)) throw invalidArgument(field, `must be ${expected}, not ${shown(value)}`);
  };
}

/** aListOf returns the rule of an array whose elements have a rule. A single string is not a list. */
export function aListOf(element: Rule): Rule {
  return (field, values) => {
    if (!Array.isArray(values)) throw invalidArgument(field, `must be an array, not ${shown(values)}`);
    // By index: a list may have holes.
    for (let i = 0; i < values.length; i++) element(`${field}[${i}]`, values[i]);
  };
}

/** oneOf returns the rule of a word that is a key of a table. */
export function oneOf(table: object): Rule {
  return rule(
    `one of ${Object.keys(table).join(', ')}`,
    (value) => typeof value === 'string' && Object.hasOwn(table, value),
  );
}

/** aString is the rule of a string. */
export const aString = rule('a string', (value) => typeof value === 'string');

export const aBoolean = rule('true or false', (value) => typeof value === 'boolean');

export const aFunction = rule('a function', (value) => typeof value === 'function');

export const anObject = rule('an object', isObject);

/** anAbortSignal does not check the class: the signal may be of another realm, or of a library for older platforms. */
export const anAbortSignal = rule(
  'an AbortSignal',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'throwIfAborted' in value &&
    'addEventListener' in value,
);

/** milliseconds is the rule of a timeout. It accepts Infinity. */
export const milliseconds = rule(
  'a number of milliseconds, 0 or more',
  (value) => typeof value === 'number' && value >= 0,
);

/** aTtl is the rule of a TTL, which a `google.protobuf.Duration` must be able to carry. */
export const aTtl = rule(
  `a number of milliseconds from 0 to ${MAX_DURATION_MS}`,
  (value) => typeof value === 'number' && value >= 0 && value <= MAX_DURATION_MS,
);

export const aUint32 = rule(
  `an integer from 0 to ${MAX_UINT32}`,
  (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_UINT32,
);

/** aCount is the rule of a number of things. It accepts Infinity. */
export const aCount = rule(
  'an integer, 0 or more, or Infinity',
  (value) => typeof value === 'number' && value >= 0 && (Number.isInteger(value) || value === Infinity),
);

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 100));
  if (typeof value === 'number' || value === undefined || value === null) return `${value}`;
  return Object.prototype.toString.call(value);
}
