import type { BtfExt } from '../ext/btf-ext.js';
import { type BpfObject, LONGEST_NAME } from '../object/bpf-object.js';
import { INSTRUCTION_LENGTH } from '../object/instructions.js';
import { isHidden } from '../object/visibility.js';
import { FuncLinkage, Kind } from '../types.js';

const STT_FUNC = 2;

/**
 * isGlobalFunction returns a test for functions that the verifier checks on their own: those whose BTF has global linkage,
 * except hidden ones, which loaders make static. Without function records the verifier takes all functions as static.
 */
export function isGlobalFunction(
  { elf, spec, symbols }: BpfObject,
  ext: BtfExt | null,
): (sectionIndex: number, start: number) => boolean {
  const functions = ext?.functions ?? new Map<string, never[]>();
  const sections = elf.sectionIndices(new Set(functions.keys()), LONGEST_NAME);
  const globals = new Set<string>();
  for (const [section, records] of functions) {
    const index = sections.get(section);
    if (index === undefined) continue;
    for (const { instruction, typeId } of records) {
      const isFunction = typeId < spec.endTypeId && spec.kindOf(typeId) === Kind.FUNC;
      const type = isFunction ? spec.typeById(typeId) : null;
      if (type?.kind === 'FUNC' && type.linkage === FuncLinkage.GLOBAL)
        globals.add(`${index} ${instruction}`);
    }
  }
  for (const symbol of symbols) {
    if (symbol.type !== STT_FUNC || !isHidden(symbol)) continue;
    globals.delete(`${symbol.section} ${symbol.value / INSTRUCTION_LENGTH}`);
  }
  return (sectionIndex, start) => globals.has(`${sectionIndex} ${start}`);
}
