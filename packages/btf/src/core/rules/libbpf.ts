import { essentialName } from '../../query/flavours.js';
import type { LoaderRules } from './loader-rules.js';

/** LIBBPF_RULES are the rules of libbpf, and of what builds on it: skeletons, bpftool, libbpf-rs. */
export const LIBBPF_RULES: LoaderRules = {
  loader: 'libbpf',
  release: '1.8',
  marked: 'LEFT_OUT',
  staticFunctions: 'PARTS',
  afterSectionName: 'NOTHING',
  essentialLength: (name) => essentialName(name).length,
  choice: 'EACH_RELOCATION',
  candidateKinds: 'SAME',
  modules: 'WITHOUT_VMLINUX',
  memberSearch: 'DEPTH_FIRST',
  elements: 'WITH_ARRAY',
  anonymousMatchesNamed: false,
  bitfieldWord: 'SMALLEST',
  accessSize: 'ADJUSTED',
  absentType: 'ZERO',
  typeIds: 'NOT_CHECKED',
  firstElement: 'SIZED',
  moduleTypeIds: 'USED',
  otherSignedness: 'ZERO',
  wideImmediate: 'CUT',
  unsignedEnums: 'AS_SIGNED',
  poisonedLoad: 'TWO_CALLS',
};
