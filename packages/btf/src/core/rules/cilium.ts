import type { LoaderRules } from './loader-rules.js';

/** CILIUM_RULES are the rules of cilium/ebpf. */
export const CILIUM_RULES: LoaderRules = {
  loader: 'cilium',
  release: '0.22',
  marked: 'LOADED',
  staticFunctions: 'PROGRAMS',
  afterSectionName: 'ANYTHING',
  essentialLength: (name) => {
    const flavour = name.lastIndexOf('___');
    return flavour > 0 ? flavour : name.length;
  },
  choice: 'TYPE_IN_PROGRAM',
  candidateKinds: 'ANY',
  modules: 'ALWAYS',
  memberSearch: 'BREADTH_FIRST',
  elements: 'WHEN_ACCESSED',
  anonymousMatchesNamed: true,
  bitfieldWord: 'OF_TYPE',
  accessSize: 'KEPT',
  absentType: 'POISON',
  typeIds: 'CHECKED',
  firstElement: 'ANY',
  moduleTypeIds: 'POISON',
  otherSignedness: 'REFUSED',
  wideImmediate: 'REFUSED',
  unsignedEnums: 'AS_UNSIGNED',
  poisonedLoad: 'INVALID_LOAD',
};
