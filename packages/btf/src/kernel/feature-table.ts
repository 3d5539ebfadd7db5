import type { MarshalOptions } from '../build/marshal-options.js';
import type { NewType } from '../build/field-checks.js';
import { FuncLinkage, IntEncoding, KINDS } from '../types.js';

/** FeatureRow describes a part of BTF that kernels accept, or a check that they make, since some release. */
export interface FeatureRow {
  /** The description, as a part of a sentence: a kernel with the feature accepts it, or makes the check. */
  readonly words: string;
  /** The first release that has it. Distributions and stable releases have some of them earlier. */
  readonly since: readonly [major: number, minor: number];
  /** How to find out whether a kernel has it. Null if the smallest BTF that shows it is too large. */
  readonly probe: FeatureProbe | null;
  /** How BTF with it is written for kernels without it. Null if it is not. */
  readonly rewriting: Rewriting | null;
}

/** FeatureProbe is a small BTF that kernels with a feature accept and others refuse, or the reverse. */
export interface FeatureProbe {
  /** Its types, with the ids 1, 2, 3 and so on. */
  readonly types: readonly NewType[];
  /** Whether it has a layout section. */
  readonly layout?: boolean;
  /** The errno with which only kernels with the feature refuse it. Absent if only these accept it. */
  readonly refusedWith?: 'EINVAL' | 'E2BIG';
  /** The feature without which a kernel cannot have this one, whatever it says about the probe. */
  readonly needs?: 'specialFields' | 'pointerFields';
}

/** Rewriting is how BTF is written for kernels without a feature. */
export interface Rewriting {
  /** The option of `Builder.marshal` that does it. Null for a layout section, which is only written with an option. */
  readonly option: keyof MarshalOptions | null;
  /** The replacement, as a part of a sentence. */
  readonly words: string;
}

const INT: NewType = { kind: 'INT', size: 4, encoding: IntEncoding.SIGNED, bits: 32, bitOffset: 0 };
const PROTO: NewType = { kind: 'FUNC_PROTO', returnTypeId: 0, params: [] };
const LOCK: NewType = { kind: 'STRUCT', name: 'bpf_spin_lock', size: 4, members: [] };
const LIST: NewType = { kind: 'STRUCT', name: 'bpf_list_head', size: 16, members: [] };

function struct(size: number, ...members: readonly (readonly [typeId: number, byte: number])[]): NewType {
  return {
    kind: 'STRUCT',
    size,
    members: members.map(([typeId, byte]) => ({ name: '', typeId, bitOffset: byte * 8, bitfieldSize: 0 })),
  };
}

/** A struct with a lock, which makes kernels check its pointer with a type tag. */
function taggedPointer(tag: string): readonly NewType[] {
  const tagged: NewType = { kind: 'TYPE_TAG', name: tag, typeId: 1, attribute: false };
  return [INT, tagged, { kind: 'PTR', typeId: 2 }, LOCK, struct(16, [3, 0], [4, 8])];
}

/** An element of a list that owns a list, under a lock. The ids are those of a lock, a list and a node: 1, 2 and 3. */
function owner(name: string): NewType {
  const members = [
    ['n', 3, 0],
    ['l', 2, 24],
    ['k', 1, 40],
  ] as const;
  return {
    kind: 'STRUCT',
    name,
    size: 48,
    members: members.map(([member, typeId, byte]) => ({
      name: member,
      typeId,
      bitOffset: byte * 8,
      bitfieldSize: 0,
    })),
  };
}

function variable(section: string): readonly NewType[] {
  return [
    INT,
    { kind: 'VAR', name: 'a', typeId: 1, linkage: 0 },
    { kind: 'DATASEC', name: section, size: 4, vars: [{ typeId: 2, offset: 0, size: 4 }] },
  ];
}

/**
 * FEATURE_TABLE has a row for each feature, in the order of the releases. The daemon probes the kernel with these rows,
 * `kernelFeaturesOf` and `adaptBtf` follow them, and docs/loads.md of `@btfd/server` shows them.
 */
export const FEATURE_TABLE = /* @__PURE__ */ featureTable();

/** FeatureName is the name of a row of `FEATURE_ROWS`. */
export type FeatureName = keyof typeof FEATURE_TABLE;

function featureTable() {
  return {
    func: {
      words: 'FUNC and FUNC_PROTO',
      since: KINDS.FUNC.since,
      probe: { types: [PROTO, { kind: 'FUNC', name: 'a', typeId: 1, linkage: FuncLinkage.STATIC }] },
      rewriting: { option: 'replaceFunctions', words: 'an ENUM for a FUNC_PROTO, a TYPEDEF for a FUNC' },
    },
    datasec: {
      words: 'VAR and DATASEC',
      since: KINDS.DATASEC.since,
      probe: { types: variable('a') },
      rewriting: { option: 'replaceSections', words: 'a STRUCT for a DATASEC, an INT for a VAR' },
    },
    funcLinkage: {
      words: 'the linkage of a FUNC in place of vlen',
      since: [5, 6],
      probe: { types: [PROTO, { kind: 'FUNC', name: 'a', typeId: 1, linkage: FuncLinkage.GLOBAL }] },
      rewriting: { option: 'stripFuncLinkage', words: 'a FUNC with static linkage' },
    },
    emptySections: {
      words: 'a DATASEC without variables',
      since: [5, 12],
      probe: { types: [{ kind: 'DATASEC', name: 'a', size: 4, vars: [] }] },
      rewriting: { option: 'replaceEmptySections', words: 'an empty STRUCT of the same size' },
    },
    float: {
      words: 'FLOAT',
      since: KINDS.FLOAT.since,
      probe: { types: [{ kind: 'FLOAT', name: 'a', size: 4 }] },
      rewriting: { option: 'replaceFloats', words: 'an anonymous, empty STRUCT of the same size' },
    },
    declTag: {
      words: 'DECL_TAG',
      since: KINDS.DECL_TAG.since,
      probe: {
        types: [
          INT,
          { kind: 'TYPEDEF', name: 'a', typeId: 1 },
          { kind: 'DECL_TAG', name: 'a', typeId: 2, componentIdx: -1, attribute: false },
        ],
      },
      rewriting: { option: 'replaceDeclTags', words: 'an INT of one byte' },
    },
    typeTag: {
      words: 'TYPE_TAG',
      since: KINDS.TYPE_TAG.since,
      probe: {
        types: [
          INT,
          { kind: 'TYPE_TAG', name: 'a', typeId: 1, attribute: false },
          { kind: 'PTR', typeId: 2 },
        ],
      },
      rewriting: { option: 'replaceTypeTags', words: 'a CONST' },
    },
    enum64: {
      words: 'ENUM64, and the sign of an ENUM',
      since: KINDS.ENUM64.since,
      probe: {
        types: [
          { kind: 'ENUM64', name: 'a', size: 8, signed: false, values: [{ name: 'A', value: 1n << 32n }] },
        ],
      },
      rewriting: { option: 'replaceEnum64', words: 'a UNION with a member for each value' },
    },
    longNames: {
      words: 'names of up to 512 bytes; 128 before',
      since: [6, 1],
      probe: { types: [{ kind: 'STRUCT', name: 'a'.repeat(129), size: 0, members: [] }] },
      rewriting: { option: 'shortenNames', words: 'the first 128 bytes' },
    },
    dotNames: {
      words: 'dots in all names; only in those of VAR and DATASEC before',
      since: [6, 4],
      probe: { types: [{ kind: 'STRUCT', name: 'a.b', size: 0, members: [] }] },
      rewriting: { option: 'replaceDots', words: '`_` for each dot' },
    },
    specialFields: {
      words:
        'checks of fields that are special to BPF programs: locks, lists, trees and reference counts. Linux 6.2 to 6.5 ' +
        'check them too, but with smaller nodes',
      since: [6, 6],
      probe: {
        // A node of a list and of a tree, without a reference count.
        types: [
          { kind: 'STRUCT', name: 'bpf_list_node', size: 24, members: [] },
          { kind: 'STRUCT', name: 'bpf_rb_node', size: 32, members: [] },
          struct(56, [1, 0], [2, 24]),
        ],
        refusedWith: 'EINVAL',
      },
      rewriting: null,
    },
    printableSectionNames: {
      words: 'any printable character in the name of a DATASEC',
      since: [6, 9],
      probe: { types: variable('?a') },
      rewriting: { option: 'replaceSectionNames', words: '`_` for `?` and the like' },
    },
    nestedFields: {
      words: 'checks of special fields within arrays, and within structs that are members',
      since: [6, 11],
      probe: {
        // Two lists without a tag that names their contents.
        types: [
          INT,
          LIST,
          LOCK,
          { kind: 'ARRAY', typeId: 2, indexTypeId: 1, nelems: 2 },
          struct(40, [4, 0], [3, 32]),
        ],
        refusedWith: 'EINVAL',
      },
      rewriting: null,
    },
    pointerFields: {
      words: 'checks of pointers tagged `kptr` and the like',
      since: [6, 12],
      probe: { types: taggedPointer('kptr'), refusedWith: 'EINVAL', needs: 'specialFields' },
      rewriting: null,
    },
    userPointers: {
      words: 'the tag `uptr` among them',
      since: [6, 13],
      probe: { types: taggedPointer('uptr'), needs: 'pointerFields' },
      rewriting: null,
    },
    tagAttributes: {
      words: 'the kind flag on DECL_TAG and TYPE_TAG, which makes them attributes',
      since: [6, 15],
      probe: {
        types: [INT, { kind: 'TYPE_TAG', name: 'a', typeId: 1, attribute: true }, { kind: 'PTR', typeId: 2 }],
      },
      rewriting: { option: 'replaceTagAttributes', words: 'an INT for a DECL_TAG, a CONST for a TYPE_TAG' },
    },
    resilientLocks: {
      words: 'the lock `bpf_res_spin_lock`',
      since: [6, 15],
      probe: {
        // Two of them. The list has no tag, so that other kernels refuse it too, before they search further.
        types: [
          { kind: 'STRUCT', name: 'bpf_res_spin_lock', size: 4, members: [] },
          LIST,
          struct(24, [1, 0], [1, 4], [2, 8]),
        ],
        refusedWith: 'E2BIG',
      },
      rewriting: null,
    },
    layout: {
      words: 'a header of 32 bytes with a layout section',
      since: [7, 1],
      probe: { types: [INT], layout: true },
      rewriting: { option: null, words: 'no layout section' },
    },
    lateTypeTags: {
      words: 'a TYPE_TAG after other modifiers',
      since: [7, 2],
      probe: {
        types: [
          INT,
          { kind: 'TYPE_TAG', name: 'a', typeId: 1, attribute: false },
          { kind: 'CONST', typeId: 2 },
        ],
      },
      rewriting: { option: 'skipLateTypeTags', words: 'the modifier without the tags after it' },
    },
    severalPointerTags: {
      words:
        'any number of type tags on a pointer that is checked, of which at most one is `kptr` or the like',
      since: [7, 2],
      probe: { types: taggedPointer('a'), needs: 'pointerFields' },
      rewriting: null,
    },
    ownershipDepth: {
      words:
        'chains of up to 8 structs that own each other by lists, trees and pointers; 3 by lists and trees before',
      since: [7, 2],
      probe: {
        // An element of a list that owns elements that own others.
        types: [
          LOCK,
          LIST,
          { kind: 'STRUCT', name: 'bpf_list_node', size: 24, members: [] },
          {
            kind: 'STRUCT',
            name: 'd',
            size: 24,
            members: [{ name: 'n', typeId: 3, bitOffset: 0, bitfieldSize: 0 }],
          },
          owner('c'),
          owner('b'),
          { kind: 'DECL_TAG', name: 'contains:d:n', typeId: 5, componentIdx: 1, attribute: false },
          { kind: 'DECL_TAG', name: 'contains:c:n', typeId: 6, componentIdx: 1, attribute: false },
        ],
        needs: 'specialFields',
      },
      rewriting: null,
    },
    uniqueFields: {
      words: 'checks that a struct has one lock and one reference count, also in the structs within it',
      since: [7, 2],
      probe: {
        // A lock beside a struct with a lock. Kernels without the check print a warning for that alone, so the list without
        // a tag makes them refuse it before.
        types: [LOCK, LIST, struct(4, [1, 0]), struct(24, [3, 0], [1, 4], [2, 8])],
        refusedWith: 'E2BIG',
      },
      rewriting: null,
    },
    wideVlen: {
      words: 'more than 65,535 elements of a type',
      since: [7, 2],
      probe: null,
      rewriting: null,
    },
  } as const satisfies Readonly<Record<string, FeatureRow>>;
}
