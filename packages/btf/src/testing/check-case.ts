import { readFileSync } from 'node:fs';
import { checkObject, type CheckObjectOptions } from '../check/check-object.js';
import type { Need, NeedKind, ObjectReport } from '../check/report.js';
import type { CoreTarget } from '../core/candidates.js';
import { type BpfObject, parseBpfObject } from '../object/bpf-object.js';

const FOLDER = new URL('../../src/check/testdata/', import.meta.url);

/** The names of the objects in `check/testdata` for little-endian machines. */
export const CHECK_OBJECTS = [
  'needs',
  'strong-kfunc',
  'strong-prototype',
  'strong-variable',
  'other-variable',
  'struct-ops',
  'struct-ops-struct',
  'struct-ops-value',
  'struct-ops-function',
  'struct-ops-size',
  'struct-ops-kind',
  'struct-ops-bits',
  'struct-ops-pointer',
  'refused-call',
  'refused-extern',
  'refused-unused',
  'refused-map',
  'refused-exception',
] as const;

/** checkBytes returns an object of `check/testdata`. */
export function checkBytes(name: (typeof CHECK_OBJECTS)[number] | 'needs-eb'): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`${name}.bpf.o`, FOLDER)));
}

/** checkCase parses an object of `check/testdata`. */
export function checkCase(name: (typeof CHECK_OBJECTS)[number] | 'needs-eb'): BpfObject {
  return parseBpfObject(checkBytes(name));
}

/** The version of Linux 6.18. */
export const VERSION = (6 << 16) | (18 << 8);

/** checkProgram checks an object of which only one program is loaded. */
export function checkProgram(
  object: BpfObject,
  target: CoreTarget,
  program: string,
  options: CheckObjectOptions = {},
): ObjectReport {
  return checkObject(object, target, { kernelVersion: VERSION, programs: [program], ...options });
}

/** needsOf returns the needs of a kind in a report, those of programs first. */
export function needsOf({ programs, needs }: ObjectReport, kind: NeedKind): Need[] {
  return [...programs.flatMap((program) => program.needs), ...needs].filter((need) => need.kind === kind);
}
