import type { SectionName } from '../../object/section-names.js';
import type { Need } from '../report.js';
import type { Verdict } from '../verdict.js';
import { type BpfEnums, verdictOfValue } from './bpf-enums.js';
import { need } from './need.js';

/** The types of programs for which kernels compare the attach type when they load one. They attach others, or refuse to. */
const COMPARED = /* @__PURE__ */ new Set([
  'TRACING',
  'LSM',
  'CGROUP_SOCK',
  'CGROUP_SOCK_ADDR',
  'CGROUP_SOCKOPT',
  'SK_LOOKUP',
  'NETFILTER',
]);

/** programTypeNeeds returns the type of a program and its attach type, as its section says. */
export function programTypeNeeds(section: SectionName | null, enums: BpfEnums): Need[] {
  if (section === null) {
    const reason = 'the name of the section does not say the type of the program: user space has to set it';
    return [need('PROGRAM_TYPE', '', ['UNKNOWN', reason])];
  }
  const { programType, attachType } = section;
  const type = `BPF_PROG_TYPE_${programType}`;
  const needs = [
    need('PROGRAM_TYPE', type, verdictOfValue(enums.hasName('bpf_prog_type', type), 'bpf_prog_type')),
  ];
  if (attachType === null) return needs;
  const name = `BPF_${attachType}`;
  const missing: Verdict = COMPARED.has(programType) ? 'FAILS' : 'AT_RISK';
  const verdict = verdictOfValue(enums.hasName('bpf_attach_type', name), 'bpf_attach_type', missing);
  return [...needs, need('ATTACH_TYPE', name, verdict)];
}
