import { status } from '@grpc/grpc-js';
import { BtfError } from './btf-error.js';

/** The largest number of a `google.protobuf.Duration`: about 10,000 years. */
const MAX_DURATION_MS = 315_576_000_000_000;
const MAX_UINT32 = 0xffff_ffff;

/** Rule checks an argument. @throws BtfError INVALID_REQUEST that names it, and says what was expected. */
export type Rule = (field: string, value: unknown) => void;

/** Rules are the rules of options: an option without one does not compile. Each is only asked about what is given. */
export type Rules<T> = Readonly<Record<keyof T, Rule>>;

/** invalidArgument is the error for an argument that cannot be sent, with code and reason as if the daemon refused it. */
export function invalidArgument(field: string, description: string, cause?: unknown): BtfError {
  return new BtfError({
    code: status.INVALID_ARGUMENT,
    reason: 'INVALID_REQUEST',
    message: `${field}: ${description}`,
    fieldViolations: [{ field, description }],
    cause,
  });
}

/** checkOptions checks the options of a call by their rules. An option that has no rule is unknown. */
export function checkOptions<T extends object>(options: T, rules: NoInfer<Rules<T>>): void {
  checkFields('', 'options', options, rules);
}

/** checkFields checks an argument whose fields have rules, such as a selection. */
export function checkFields<T extends object>(
  prefix: string,
  name: string,
  value: unknown,
  rules: Rules<T>,
): void {
  for (const [key] of fieldsOf(name, value)) {
    if (Object.hasOwn(rules, key)) continue;
    throw invalidArgument(`${prefix}${key}`, `is no option: there are ${Object.keys(rules).join(', ')}`);
  }
  // Inherited ones count too.
  for (const [key, rule] of Object.entries<Rule>(rules)) {
    const field: unknown = isObject(value) ? value[key] : undefined;
    if (field !== undefined) rule(`${prefix}${key}`, field);
  }
}

/** fieldsOf answers what is in an argument that has to be an object. */
export function fieldsOf(name: string, value: unknown): (readonly [string, unknown])[] {
  anObject(name, value);
  return isObject(value) ? Object.entries(value) : [];
}

/** must makes the rule that something holds for a value. */
export function must(expected: string, holds: (value: unknown) => boolean): Rule {
  return (field, value) => {
    if (!holds(value)) throw invalidArgument(field, `must be ${expected}, not ${shown(value)}`);
  };
}

/** aListOf makes the rule of a list; one string is none. */
export function aListOf(rule: Rule): Rule {
  return (field, values) => {
    if (!Array.isArray(values)) throw invalidArgument(field, `must be an array, not ${shown(values)}`);
    // By index: a list may have holes.
    for (let i = 0; i < values.length; i++) rule(`${field}[${i}]`, values[i]);
  };
}

/** oneOf makes the rule of a word that is a key of a table. */
export function oneOf(table: object): Rule {
  return must(
    `one of ${Object.keys(table).join(', ')}`,
    (value) => typeof value === 'string' && Object.hasOwn(table, value),
  );
}

/** aString, and the other rules, are for the values that their names say. */
export const aString = must('a string', (value) => typeof value === 'string');

export const aBoolean = must('true or false', (value) => typeof value === 'boolean');

export const aFunction = must('a function', (value) => typeof value === 'function');

export const anObject = must('an object', isObject);

/** Not by class: it may be of another realm, or of a library for older platforms. */
export const anAbortSignal = must(
  'an AbortSignal',
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'throwIfAborted' in value &&
    'addEventListener' in value,
);

/** Infinity is one. */
export const milliseconds = must(
  'a number of milliseconds that is not negative',
  (value) => typeof value === 'number' && value >= 0,
);

/** What a message can carry. */
export const aTtl = must(
  `a number of milliseconds from 0 to ${MAX_DURATION_MS}`,
  (value) => typeof value === 'number' && value >= 0 && value <= MAX_DURATION_MS,
);

export const aUint32 = must(
  `an integer from 0 to ${MAX_UINT32}`,
  (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_UINT32,
);

/** A number of things; Infinity is one. */
export const aCount = must(
  'an integer that is not negative, or Infinity',
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
