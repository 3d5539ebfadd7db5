import type { BpfLoader } from '../../core/rules/loader-rules.js';
import type { BpfObject } from '../../object/bpf-object.js';
import { undefinedSymbols } from '../../object/extern-symbols.js';
import { readMaps } from '../../object/maps.js';
import type { BpfProgram } from '../../object/programs.js';
import { VarLinkage } from '../../types.js';
import type { Need, NeedKind } from '../report.js';
import { need } from './need.js';

/** The section of subprograms. */
const TEXT = '.text';

/** A hostile object may have as many reasons as functions. */
const MAX_REASONS = 16;

/** StructureContext has what {@link structureNeeds} looks at. */
export interface StructureContext {
  readonly object: BpfObject;
  readonly programs: readonly BpfProgram[];
  /** The functions that each program refers to. */
  readonly calls: ReadonlyMap<BpfProgram, ReadonlySet<BpfProgram>>;
  /** The names of the externs that the loader looks for. */
  readonly isExtern: (name: string) => boolean;
  readonly loader: BpfLoader;
}

/** structureNeeds returns what makes a loader refuse an object whatever the kernel has: at most 16 of each sort. */
export function structureNeeds(context: StructureContext): Need[] {
  const refused = context.loader === 'libbpf' ? refusedByLibbpf(context) : refusedByCilium(context);
  return [...refused, ...staticMaps(context)].flatMap((names) => needsOf(names));
}

/** Names of one sort, each with the reason why the loader refuses it. */
interface Refused {
  readonly kind: NeedKind;
  readonly reasons: ReadonlyMap<string, string>;
}

function needsOf({ kind, reasons }: Refused): Need[] {
  return [...reasons].slice(0, MAX_REASONS).map(([name, reason]) => need(kind, name, ['FAILS', reason]));
}

/** Modelled on `bpf_object__collect_externs`, `bpf_object__add_programs` and `bpf_program__record_reloc` of libbpf. */
function refusedByLibbpf({ object, programs, calls, isExtern }: StructureContext): Refused[] {
  const unknown = undefinedSymbols(object).flatMap(({ name }) =>
    name === null || isExtern(name) ? [] : [name],
  );
  const statics = programs.filter(({ isSubprogram, section }) => isSubprogram && section !== TEXT);
  const called = new Map<string, string>();
  for (const [caller, callees] of calls) {
    for (const { name, section, isSubprogram } of callees) {
      if (section === TEXT || isSubprogram) continue;
      called.set(
        name,
        `libbpf does not let ${caller.name} refer to it, as it is in section ${section}, not .text`,
      );
    }
  }
  return [
    {
      kind: 'KFUNC',
      reasons: new Map(
        unknown.map((name) => [name, 'the object neither defines it nor declares it as __ksym']),
      ),
    },
    {
      kind: 'PROGRAM_TYPE',
      reasons: new Map(
        statics.map(({ name, section }) => [
          name,
          `libbpf does not load static functions in the section ${section}`,
        ]),
      ),
    },
    { kind: 'PROGRAM_TYPE', reasons: called },
  ];
}

function refusedByCilium({ object, programs }: StructureContext): Refused[] {
  const seen = new Set<string>();
  const twice = programs.filter(({ name }) => seen.size === seen.add(name).size);
  const hasMaps = object.elf.sectionIndices(new Set([STRUCT_OPS]), STRUCT_OPS.length).size > 0;
  return [
    {
      kind: 'PROGRAM_TYPE',
      reasons: new Map(twice.map(({ name }) => [name, 'the object has several functions of this name'])),
    },
    {
      kind: 'STRUCT_OPS',
      reasons: new Map(
        hasMaps ? [[STRUCT_OPS, 'cilium/ebpf refuses objects with this section: use .struct_ops.link']] : [],
      ),
    },
  ];
}

const STRUCT_OPS = '.struct_ops';

function staticMaps({ object }: StructureContext): Refused[] {
  const reasons = new Map<string, string>();
  for (const { name, typeId } of readMaps(object)) {
    const variable = object.spec.typeById(typeId);
    if (variable.kind === 'VAR' && variable.linkage === VarLinkage.STATIC)
      reasons.set(name, 'loaders refuse static maps');
  }
  return [{ kind: 'MAP_TYPE', reasons }];
}
