import type { BpfLoader } from '../../core/rules/loader-rules.js';
import type { BpfObject } from '../../object/bpf-object.js';
import { readMaps } from '../../object/maps.js';
import type { Need } from '../report.js';
import { type BpfEnums, verdictOfValue } from './bpf-enums.js';
import { need } from './need.js';

/** The section in which objects defined maps without BTF. */
const LEGACY = 'maps';

/**
 * mapNeeds returns the types of the maps that an object defines, each once. Maps of global variables are arrays, which every
 * kernel with BTF has.
 *
 * @throws BtfReadError as `readMaps` does.
 */
export function mapNeeds(object: BpfObject, enums: BpfEnums, loader: BpfLoader): Need[] {
  const needs = new Map<number, Need>();
  const hasLegacy = object.elf.sectionIndices(new Set([LEGACY]), LEGACY.length).size > 0;
  if (hasLegacy && loader === 'libbpf') {
    const reason = `libbpf 1.0 and newer refuse definitions in section ${LEGACY}: use .maps`;
    needs.set(-1, need('MAP_TYPE', LEGACY, ['FAILS', reason]));
  }
  for (const { name, mapType } of readMaps(object)) {
    const number = mapType ?? 0;
    if (needs.has(number)) continue;
    const type = enums.nameOf('bpf_map_type', number) ?? `map type ${number}`;
    const verdict =
      number === 0
        ? (['FAILS', `the definition of map ${name} has no type`] as const)
        : verdictOfValue(enums.hasNumber('bpf_map_type', number), 'bpf_map_type');
    needs.set(number, need('MAP_TYPE', number === 0 ? name : type, verdict));
  }
  return [...needs.values()];
}
