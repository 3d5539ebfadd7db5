import {
  type BpfObject,
  type ByteOrder,
  type Enum,
  type Enum64,
  formatTypeName,
  type Int,
  IntEncoding,
  Kind,
  type Pointer,
  resolve,
  sizeof,
  type Type,
  type TypeId,
} from '@btfd/btf';
import { usageError } from '../error/cli-error.js';

/** Setting is the value of `--set` or `--attach`. */
export interface Setting {
  readonly name: string;
  readonly value: string;
}

const EXAMPLES = {
  '--set': '--set VARIABLE=VALUE, such as --set targ_pid=42',
  '--attach': '--attach PROGRAM=TARGET, such as --attach on_read=xfs:xfs_file_read_iter',
} as const;

/** settingOf parses the `NAME=VALUE` of an option. @throws CliError USAGE if it is something else. */
export function settingOf(option: keyof typeof EXAMPLES, text: string): Setting {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw usageError(`${option} ${text} is not a name and a value`, `use ${EXAMPLES[option]}`);
  }
  return { name, value };
}

/** readOnlyVariables returns the types of the variables in `.rodata` and `.rodata.*`, by name. */
export function readOnlyVariables({ spec }: BpfObject): ReadonlyMap<string, TypeId> {
  const variables = new Map<string, TypeId>();
  for (const id of spec.typeIds()) {
    if (spec.kindOf(id) !== Kind.DATASEC || !/^\.rodata(?:\..*)?$/s.test(spec.nameOf(id))) continue;
    const section = spec.typeById(id);
    if (section.kind !== 'DATASEC') continue;
    for (const { typeId } of section.vars) {
      const variable = spec.typeById(typeId);
      if (variable.kind === 'VAR' && !variables.has(variable.name))
        variables.set(variable.name, variable.typeId);
    }
  }
  return variables;
}

/**
 * valueOf returns the bytes of a variable for a value, in the byte order of the object.
 *
 * @param typeId the type of the variable.
 * @throws CliError USAGE if the variable cannot have it.
 */
export function valueOf({ spec, elf }: BpfObject, typeId: TypeId, setting: Setting): Uint8Array {
  const { name, value } = setting;
  const size = sizeof(spec, typeId);
  const refused = (reason: string): Error =>
    usageError(`--set ${name}=${value}: ${name} is ${formatTypeName(spec, typeId)}, ${reason}`);
  if (value.startsWith('hex:')) {
    const digits = value.slice('hex:'.length).replaceAll(/[\s,]/g, '');
    if (!/^(?:[\da-f]{2})*$/i.test(digits))
      throw refused('and the value has bytes that are not two hexadecimal digits');
    if (digits.length !== size * 2) {
      throw refused(`which has ${size} bytes, and the value has ${digits.length / 2}`);
    }
    return new Uint8Array(Buffer.from(digits, 'hex'));
  }
  const type = resolve(spec, typeId);
  if (!isInteger(type) || size > LARGEST_INTEGER) {
    throw refused(
      `so its value must be ${size} bytes, such as --set ${name}=hex:${'00'.repeat(Math.min(size, 8))}`,
    );
  }
  const number = numberOf(value, type);
  if (number === null) throw refused('and the value is not an integer');
  const [least, most] = rangeOf(type, size);
  if (number < least || number > most) throw refused(`which takes ${least} to ${most}`);
  return encoded(number, size, elf.byteOrder);
}

/** Bytes of `__int128`. */
const LARGEST_INTEGER = 16;

type Integer = Int | Enum | Enum64 | Pointer;

function isInteger(type: Type): type is Integer {
  return type.kind === 'INT' || type.kind === 'ENUM' || type.kind === 'ENUM64' || type.kind === 'PTR';
}

/** Returns the number of a value; null for other texts. */
function numberOf(text: string, type: Integer): bigint | null {
  if (type.kind === 'ENUM' || type.kind === 'ENUM64') {
    const named = type.values.find(({ name }) => name === text);
    if (named !== undefined) return BigInt(named.value);
  } else if (type.kind === 'INT' && (text === 'true' || text === 'false')) {
    return text === 'true' ? 1n : 0n;
  }
  return integerOf(text);
}

function integerOf(text: string): bigint | null {
  const [, sign = '', digits] = /^([+-]?)(\d+|0x[\da-f]+)$/i.exec(text) ?? [];
  if (digits === undefined) return null;
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}

function rangeOf(type: Integer, size: number): readonly [least: bigint, most: bigint] {
  const bits = BigInt(size * 8);
  if (type.kind === 'INT' && (type.encoding & IntEncoding.BOOL) !== 0) return [0n, 1n];
  return isSigned(type) ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
}

function isSigned(type: Integer): boolean {
  if (type.kind === 'PTR') return false;
  return type.kind === 'INT' ? (type.encoding & IntEncoding.SIGNED) !== 0 : type.signed;
}

function encoded(number: bigint, size: number, byteOrder: ByteOrder): Uint8Array {
  const bytes = Uint8Array.from({ length: size }, (_, i) =>
    Number(BigInt.asUintN(8, number >> BigInt(8 * i))),
  );
  return byteOrder === 'little' ? bytes : bytes.toReversed();
}
