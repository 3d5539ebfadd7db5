import { CoreTypes } from '../core/core-types.js';
import { CoreWork } from '../core/refusal.js';
import { renderType } from '../core/render.js';
import type { CoreCandidate, CorePlace, CoreResolution, ResolvedRelocation } from '../core/resolution.js';
import { RELOCATION_NAMES, type RelocationKind } from '../ext/records.js';
import type { Spec } from '../spec.js';
import { Kind } from '../types.js';

/** libbpf's names of the kinds of types. */
const TYPE_KINDS = new Map<number, string>(
  Object.entries(Kind).map(([name, number]) => [number, name.toLowerCase()]),
);

const NO_MATCH = 'no matching targets found';
const FAILURE = /relo #\d+: failed to (?:relocate|patch)/;

/**
 * libbpfLines returns what libbpf's log says about relocations: one line for each relocation, candidate and patch. A
 * candidate that does not match is only named, because libbpf's text has the place where it stopped.
 */
export function libbpfLines(log: readonly string[]): string[] {
  const lines: string[] = [];
  for (const line of log) {
    const found = /^libbpf: prog '(.*)': relo #(\d+): (.*)$/.exec(line);
    const text = found?.[3];
    if (found === null || text === undefined) continue;
    // The resolution describes 16 candidates.
    if (Number(/candidate #(\d+)/.exec(text)?.[1] ?? 0) >= 16) continue;
    const prefix = `${found[1]} #${found[2]}`;
    if (FAILURE.test(line)) {
      // It is in the log before a local value fails, too.
      if (lines.at(-1) === `${prefix} ${NO_MATCH}`) lines.pop();
      lines.push(`${prefix} fails`);
    } else if (/^(?:field offset|relocation decision) ambiguity/.test(text))
      lines.push(`${prefix} is ambiguous`);
    else if (text.startsWith('non-matching'))
      lines.push(`${prefix} ${text.replace(/^(non-matching candidate #\d+) <\w+> (\[\d+\]).*$/, '$1 $2')}`);
    else if (/^(?:<|matching|no matching|patched|substituting)/.test(text)) {
      // The log has the values of enums, which the lines about patches also have.
      lines.push(`${prefix} ${text.replace(/(::\S+) = -?\d+$/, '$1')}`);
    }
    if (lines.at(-1)?.endsWith(' fails') === true) break;
  }
  return lines;
}

/** ourLines returns the same of our resolution. It ends where libbpf gives up. */
export function ourLines(resolution: CoreResolution, object: Spec, kernel: Spec): string[] {
  const lines: string[] = [];
  for (const relocation of resolution.relocations) {
    if (relocation.outcome === 'SKIPPED') continue;
    lines.push(...linesOf(relocation, object, kernel));
    if (lines.at(-1)?.endsWith(' fails') === true) break;
  }
  return lines;
}

function linesOf(relocation: ResolvedRelocation, object: Spec, kernel: Spec): string[] {
  const { program, index, kind, local, outcome, candidates, match } = relocation;
  const prefix = `${program?.name ?? ''} #${index}`;
  const lines: string[] = [];
  if (kind !== null && local !== null) {
    lines.push(spec(kind, local, object));
    lines.push(...candidates.map((candidate, i) => candidateLine(kind, candidate, i, kernel)));
    const isGivenUp = outcome === 'AMBIGUOUS' || outcome === 'REFUSED';
    if (match === null && kind !== 'TYPE_ID_LOCAL' && !isGivenUp) lines.push(NO_MATCH);
  }
  if (outcome === 'AMBIGUOUS') lines.push('is ambiguous');
  lines.push(...patchLines(relocation));
  if (outcome === 'AMBIGUOUS' || outcome === 'REFUSED') lines.push('fails');
  return lines.map((line) => `${prefix} ${line}`);
}

function candidateLine(
  kind: RelocationKind,
  { place, typeId }: CoreCandidate,
  i: number,
  kernel: Spec,
): string {
  if (place === null) return `non-matching candidate #${i} [${typeId}]`;
  return `matching candidate #${i} ${spec(kind, place, kernel)}`;
}

function spec(kind: RelocationKind, { typeId, text, access, bitOffset }: CorePlace, types: Spec): string {
  const name = types.nameOf(typeId);
  const rest = text.slice(renderType(new CoreTypes(types, '', new CoreWork()), typeId).length);
  const root = `<${RELOCATION_NAMES[kind]}> [${typeId}] ${TYPE_KINDS.get(types.kindOf(typeId))} ${name === '' ? '<anon>' : name}`;
  if (!kind.startsWith('FIELD')) return `${root}${rest}`;
  const bits = bitOffset % 8 === 0 ? '' : `.${bitOffset % 8}`;
  return `${root}${rest} (${access} @ offset ${Math.floor(bitOffset / 8)}${bits})`;
}

const CLASSES = {
  IMMEDIATE: 'ALU/ALU64) imm',
  OFFSET: 'LDX/ST/STX) off',
  IMMEDIATE64: 'LDIMM64) imm64',
} as const;

function patchLines({ patch, instruction, program }: ResolvedRelocation): string[] {
  if (patch === null) return [];
  const { part, from, to, size } = patch;
  const invalid = (at: number): string => `substituting insn #${at} w/ invalid insn`;
  if (part === 'POISON') {
    const isWide = program?.bytes[instruction * 8] === 0x18;
    return [...(isWide ? [invalid(instruction + 1)] : []), invalid(instruction)];
  }
  const patched = (text: string): string => `patched insn #${instruction} (${text}`;
  return [
    patched(`${CLASSES[part]} ${from} -> ${to}`),
    ...(size === null ? [] : [patched(`LDX/ST/STX) mem_sz ${size.from} -> ${size.to}`)]),
  ];
}
