/** BpfLoader is a library that loads BPF objects. Loaders resolve the same relocation differently. */
export type BpfLoader = 'libbpf' | 'cilium';

/** LoaderRules are the decisions in which loaders differ. The algorithm is the same. */
export interface LoaderRules {
  readonly loader: BpfLoader;
  /** The release whose rules these are. */
  readonly release: string;
  /** Whether programs in sections that begin with `?` are loaded by default. */
  readonly marked: 'LOADED' | 'LEFT_OUT';
  /** Whether static functions in the sections of programs are programs, too. */
  readonly staticFunctions: 'PROGRAMS' | 'PARTS';
  /** The rest of a section's name that may follow a name without a target. */
  readonly afterSectionName: 'NOTHING' | 'ANYTHING';
  /** The length of a name without its flavour. */
  readonly essentialLength: (name: string) => number;
  /**
   * The scope in which a candidate is chosen. Either each relocation, after which candidates that do not match are dropped
   * for later relocations of the same local type. Or all relocations of a local type within a program, for which the
   * candidate with the fewest failures counts.
   */
  readonly choice: 'EACH_RELOCATION' | 'TYPE_IN_PROGRAM';
  /** Whether candidates are of the kind of the local type as it is written, or of any kind. */
  readonly candidateKinds: 'SAME' | 'ANY';
  /** Whether modules are searched only for what vmlinux has no candidate for, or always. */
  readonly modules: 'WITHOUT_VMLINUX' | 'ALWAYS';
  /** In which order the members of anonymous structs and unions are searched. */
  readonly memberSearch: 'DEPTH_FIRST' | 'BREADTH_FIRST';
  /** Whether the elements of arrays are compared with the arrays, or only when an element is accessed. */
  readonly elements: 'WITH_ARRAY' | 'WHEN_ACCESSED';
  /** How the names of enums and declarations are compared, and of types that are to match. */
  readonly anonymousMatchesNamed: boolean;
  /** The word that has a bitfield: the smallest that holds all of it, or the one of the member's type. */
  readonly bitfieldWord: 'SMALLEST' | 'OF_TYPE';
  /** Whether a load or a store takes the size of the target's member. */
  readonly accessSize: 'ADJUSTED' | 'KEPT';
  /** The value of the size or the id of a type without a target. */
  readonly absentType: 'ZERO' | 'POISON';
  /** Whether an instruction must have the id of the type that it was compiled with. Linking changes ids. */
  readonly typeIds: 'CHECKED' | 'NOT_CHECKED';
  /** Whether the type of a root or an element must have a size if its index is 0. */
  readonly firstElement: 'SIZED' | 'ANY';
  /** Whether the id of a module's type is a value. */
  readonly moduleTypeIds: 'USED' | 'POISON';
  /** The signedness of anything but an integer or an enum. */
  readonly otherSignedness: 'ZERO' | 'REFUSED';
  /** Whether a value that does not fit the immediate of an instruction is cut. */
  readonly wideImmediate: 'CUT' | 'REFUSED';
  /** Whether the values of unsigned enums of 32 bits are read as signed ones. */
  readonly unsignedEnums: 'AS_SIGNED' | 'AS_UNSIGNED';
  /** The replacement of the two instructions that load a poisoned constant of 64 bits. */
  readonly poisonedLoad: 'TWO_CALLS' | 'INVALID_LOAD';
}
