import { formatTypeName, formatValue, Kind, readValue, type Spec, type TypeId, type Value } from '@btfd/btf';
import { CliError, usageError } from '../error/cli-error.js';
import { ExitCode } from '../error/exit-code.js';
import type { ValueOptions } from '../grammar/value.js';
import { counted, grouped } from '../output/numbers.js';
import { withSafeNames } from '../output/safe-names.js';
import { printableText } from '../output/safe-text.js';
import type { Session } from '../session/session.js';
import { readBytes } from '../source/read-bytes.js';
import { parseSpecRef, STANDARD_INPUT } from '../source/spec-ref.js';
import { valueTypeId } from '../source/value-type.js';

/** value runs `btfctl value`. */
export async function value(session: Session, name: string, options: ValueOptions): Promise<number> {
  const { data, hex = false, base } = options;
  if (data === STANDARD_INPUT && (options.in === STANDARD_INPUT || base === STANDARD_INPUT)) {
    throw usageError(
      'standard input cannot be both the types and the bytes',
      'name the bytes with --data FILE',
    );
  }
  const ref = parseSpecRef(options.in);
  const bytes = await readBytes(data, hex, session.interrupted);
  const source = await session.source(ref, base);
  const spec = await source.spec();
  const id = valueTypeId(spec, name, source.label);
  checkPlaced(spec, id, source.label);
  const read = readValue(spec, id, bytes);
  const typeName = nameOf(spec, id);
  await session.show({
    data: {
      type: typeName,
      type_id: id,
      missing_bytes: read.missingBytes,
      extra_bytes: read.extraBytes,
      value: dataOf(read.value),
    },
    names: [typeName],
    text: () => `${printableText(formatValue(withSafeNames(spec), id, bytes, options).text)}\n`,
  });
  if (read.extraBytes > 0) {
    session.warn(
      `the value of ${typeName} has ${counted(bytes.length - read.extraBytes, 'byte')}, and ${grouped(read.extraBytes)} more follow it`,
    );
  }
  if (read.missingBytes === 0) return ExitCode.OK;
  session.warn(
    `the value of ${typeName} has ${counted(bytes.length + read.missingBytes, 'byte')}, but there are only ${grouped(bytes.length)}`,
  );
  return ExitCode.FAILURE;
}

/** @throws CliError FAILURE for a data section of an object file, in which a loader has not placed the variables yet. */
function checkPlaced(spec: Spec, id: TypeId, label: string): void {
  const type = spec.typeById(id);
  if (type.kind !== 'DATASEC' || type.size > 0 || type.vars.length === 0) return;
  throw new CliError(
    ExitCode.FAILURE,
    `section ${type.name} of ${label} has no offsets yet`,
    'use the BTF of the loaded program: --in id:ID',
  );
}

/** Returns the name of a type as C writes it. A data section has none in C. */
function nameOf(spec: Spec, id: TypeId): string {
  const kind = spec.kindOf(id);
  return kind === Kind.DATASEC || kind === Kind.VAR ? spec.nameOf(id) : formatTypeName(spec, id);
}

/** Returns a value for JSON, which has neither large integers nor NaN. */
function dataOf(one: Value): unknown {
  if (typeof one === 'bigint') return String(one);
  if (typeof one === 'number') return Number.isFinite(one) ? one : String(one);
  if (one instanceof Uint8Array) return Buffer.from(one).toString('hex');
  if (Array.isArray(one)) return one.map(dataOf);
  if (typeof one !== 'object' || one === null) return one;
  return Object.fromEntries(Object.entries(one).map(([name, part]) => [name, dataOf(part)]));
}
