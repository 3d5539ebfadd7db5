import {
  ArraySchema,
  CompositeSchema,
  DatasecSchema,
  DeclTagSchema,
  Enum64Schema,
  Enum64ValueSchema,
  EnumSchema,
  EnumValueSchema,
  FloatSchema,
  FuncParamSchema,
  FuncProtoSchema,
  FuncSchema,
  FwdSchema,
  IntSchema,
  MemberSchema,
  PointerSchema,
  SpecResponseSchema,
  TypeListSchema,
  TypeSchema,
  TypeTagSchema,
  UnknownSchema,
  VarSchema,
  VarSecinfoSchema,
} from '@btfd/api';
import { Kind, type Spec, type TypeId, TypeReader } from '@btfd/btf';
import { fieldNumbers, WireWriter } from '../base/wire-writer.js';

/** More bytes than an element has without its name: its tags and lengths, and at most three numbers of six bytes each. */
const ELEMENT_BYTES = 32;

/** The first word after those that all types have. */
const FIRST = 3;

const TYPE = fieldNumbers(TypeSchema);
const INT = fieldNumbers(IntSchema);
const ARRAY = fieldNumbers(ArraySchema);
const COMPOSITE = fieldNumbers(CompositeSchema);
const MEMBER = fieldNumbers(MemberSchema);
const ENUM = fieldNumbers(EnumSchema);
const ENUM_VALUE = fieldNumbers(EnumValueSchema);
const ENUM64 = fieldNumbers(Enum64Schema);
const ENUM64_VALUE = fieldNumbers(Enum64ValueSchema);
const FWD = fieldNumbers(FwdSchema);
/** Also of TYPEDEF, VOLATILE, CONST and RESTRICT, whose messages are the same. */
const POINTER = fieldNumbers(PointerSchema);
const FUNC = fieldNumbers(FuncSchema);
const FUNC_PROTO = fieldNumbers(FuncProtoSchema);
const FUNC_PARAM = fieldNumbers(FuncParamSchema);
const VAR = fieldNumbers(VarSchema);
const DATASEC = fieldNumbers(DatasecSchema);
const VAR_SECINFO = fieldNumbers(VarSecinfoSchema);
const FLOAT = fieldNumbers(FloatSchema);
const DECL_TAG = fieldNumbers(DeclTagSchema);
const TYPE_TAG = fieldNumbers(TypeTagSchema);
const UNKNOWN = fieldNumbers(UnknownSchema);
const LIST = fieldNumbers(TypeListSchema);
const RESPONSE = fieldNumbers(SpecResponseSchema);

/** The field of `Type` that has the words of each known kind. */
const DETAILS: readonly (number | undefined)[] = detailFields();

/**
 * typeChunks encodes types as messages SpecResponse of at most `chunkBytes`. A larger type continues in the next message. The
 * bytes are those of protobuf-es, which would need an object for each type and element: for a vmlinux, 480 to 600 ms of CPU
 * instead of 70.
 *
 * @throws BtfReadError as `Spec.typeById` does.
 */
export function* typeChunks(
  spec: Spec,
  ids: Iterable<TypeId>,
  chunkBytes: number,
): Generator<Uint8Array, void, void> {
  const out = spareWriter ?? new WireWriter();
  spareWriter = null;
  try {
    const writer = new TypeWriter(spec, out, chunkBytes / 2);
    for (const id of ids) {
      writer.open(id);
      let more = true;
      while (more) {
        const before = out.length;
        more = writer.writePiece();
        if (out.length > chunkBytes && before > 0) yield out.takeField(RESPONSE.types, before);
        // The rest of a type begins the next message.
        if (more) yield out.takeField(RESPONSE.types, out.length);
      }
    }
    if (out.length > 0) yield out.takeField(RESPONSE.types, out.length);
  } finally {
    out.clear();
    if (out.capacity <= MAX_SPARE_BYTES) spareWriter = out;
  }
}

/**
 * The memory of the last writer. With new memory for each request, the closure of `task_struct` made V8 collect all garbage of a
 * worker twelve times in 200 requests instead of once.
 */
let spareWriter: WireWriter | null = null;
const MAX_SPARE_BYTES = 1024 * 1024;

/** TypeWriter writes one type after the other, in pieces whose lists have at most `pieceBytes`. */
class TypeWriter {
  readonly #types: TypeReader;
  readonly #out: WireWriter;
  readonly #pieceBytes: number;
  #id = 0;
  /** The element, or the slice of data, that the next piece begins with. */
  #next = 0;

  constructor(spec: Spec, out: WireWriter, pieceBytes: number) {
    this.#types = new TypeReader(spec);
    this.#out = out;
    this.#pieceBytes = Math.max(1, Math.floor(pieceBytes));
  }

  /** open goes to a type. */
  open(id: TypeId): void {
    this.#types.open(id);
    this.#id = id;
    this.#next = 0;
  }

  /** writePiece writes the type or its next piece. It returns whether there is more of it. */
  writePiece(): boolean {
    const types = this.#types;
    const out = this.#out;
    const from = this.#next;
    this.#next = 0;
    const start = out.begin(LIST.types);
    out.uint32(TYPE.id, this.#id);
    out.uint32(TYPE.kind, types.kind);
    if (from === 0) this.#name(TYPE.name, 0);
    out.bool(TYPE.continued, from > 0);
    const field = DETAILS[types.kind] ?? TYPE.unknown;
    const detail = out.begin(field);
    this.#detail(types.kind, from);
    out.end(detail);
    out.end(start);
    return this.#next > 0;
  }

  #detail(kind: number, from: number): void {
    const types = this.#types;
    const out = this.#out;
    switch (kind) {
      case Kind.INT: {
        const word = types.u32(FIRST);
        out.uint32(INT.size, types.u32(2));
        out.uint32(INT.encoding, (word >>> 24) & 0xf);
        out.uint32(INT.bits, word & 0xff);
        out.uint32(INT.bitOffset, (word >>> 16) & 0xff);
        return;
      }
      case Kind.PTR:
      case Kind.TYPEDEF:
      case Kind.VOLATILE:
      case Kind.CONST:
      case Kind.RESTRICT:
        out.uint32(POINTER.typeId, types.u32(2));
        return;
      case Kind.ARRAY:
        out.uint32(ARRAY.typeId, types.u32(FIRST));
        out.uint32(ARRAY.indexTypeId, types.u32(FIRST + 1));
        out.uint32(ARRAY.nelems, types.u32(FIRST + 2));
        return;
      case Kind.STRUCT:
      case Kind.UNION: {
        const packed = types.kindFlag;
        out.uint32(COMPOSITE.size, types.u32(2));
        this.#elements(COMPOSITE.members, 3, MEMBER.name, from, (word) => {
          const offset = types.u32(word + 2);
          out.uint32(MEMBER.typeId, types.u32(word + 1));
          out.uint32(MEMBER.bitOffset, packed ? offset & 0xff_ffff : offset);
          out.uint32(MEMBER.bitfieldSize, packed ? offset >>> 24 : 0);
        });
        return;
      }
      case Kind.ENUM: {
        const signed = types.kindFlag;
        out.uint32(ENUM.size, types.u32(2));
        out.bool(ENUM.signed, signed);
        this.#elements(ENUM.values, 2, ENUM_VALUE.name, from, (word) => {
          out.sint(ENUM_VALUE.value, signed ? types.i32(word + 1) : types.u32(word + 1));
        });
        return;
      }
      case Kind.ENUM64:
        out.uint32(ENUM64.size, types.u32(2));
        out.bool(ENUM64.signed, types.kindFlag);
        this.#elements(ENUM64.values, 3, ENUM64_VALUE.name, from, (word) => {
          out.fixed64(ENUM64_VALUE.bits, types.u32(word + 1), types.u32(word + 2));
        });
        return;
      case Kind.FWD:
        out.bool(FWD.union, types.kindFlag);
        return;
      case Kind.FUNC:
        out.uint32(FUNC.typeId, types.u32(2));
        out.uint32(FUNC.linkage, types.vlen);
        return;
      case Kind.FUNC_PROTO:
        out.uint32(FUNC_PROTO.returnTypeId, types.u32(2));
        this.#elements(FUNC_PROTO.params, 2, FUNC_PARAM.name, from, (word) => {
          out.uint32(FUNC_PARAM.typeId, types.u32(word + 1));
        });
        return;
      case Kind.VAR:
        out.uint32(VAR.typeId, types.u32(2));
        out.uint32(VAR.linkage, types.u32(FIRST));
        return;
      case Kind.DATASEC:
        out.uint32(DATASEC.size, types.u32(2));
        this.#elements(DATASEC.vars, 3, null, from, (word) => {
          out.uint32(VAR_SECINFO.typeId, types.u32(word));
          out.uint32(VAR_SECINFO.offset, types.u32(word + 1));
          out.uint32(VAR_SECINFO.size, types.u32(word + 2));
        });
        return;
      case Kind.FLOAT:
        out.uint32(FLOAT.size, types.u32(2));
        return;
      case Kind.DECL_TAG:
        out.uint32(DECL_TAG.typeId, types.u32(2));
        out.sint(DECL_TAG.componentIdx, types.i32(FIRST));
        out.bool(DECL_TAG.attribute, types.kindFlag);
        return;
      case Kind.TYPE_TAG:
        out.uint32(TYPE_TAG.typeId, types.u32(2));
        out.bool(TYPE_TAG.attribute, types.kindFlag);
        return;
      default: {
        const data = types.data();
        const at = from * this.#pieceBytes;
        const end = at + this.#pieceBytes;
        out.bool(UNKNOWN.kindFlag, types.kindFlag);
        out.uint32(UNKNOWN.vlen, types.vlen);
        out.uint32(UNKNOWN.sizeOrTypeId, types.u32(2));
        out.bytes(UNKNOWN.data, data.subarray(at, end));
        this.#next = end < data.length ? from + 1 : 0;
      }
    }
  }

  /** Writes elements of `each` words until the piece is full. `nameField` is null if they have no names. */
  #elements(
    field: number,
    each: number,
    nameField: number | null,
    from: number,
    write: (word: number) => void,
  ): void {
    const out = this.#out;
    const count = this.#types.vlen;
    const full = out.length + this.#pieceBytes - ELEMENT_BYTES;
    for (let index = from; index < count; index++) {
      const word = FIRST + index * each;
      const length = nameField === null ? 0 : this.#types.findName(word);
      if (index > from && out.length + length > full) {
        this.#next = index;
        return;
      }
      const start = out.begin(field);
      if (nameField !== null) out.string(nameField, length, this.#copyName);
      write(word);
      out.end(start);
    }
  }

  #name(field: number, word: number): void {
    this.#out.string(field, this.#types.findName(word), this.#copyName);
  }

  readonly #copyName = (target: Uint8Array, at: number): void => this.#types.copyName(target, at);
}

function detailFields(): (number | undefined)[] {
  const fields: (number | undefined)[] = [];
  fields[Kind.INT] = TYPE.int;
  fields[Kind.PTR] = TYPE.ptr;
  fields[Kind.ARRAY] = TYPE.array;
  fields[Kind.STRUCT] = TYPE.struct;
  fields[Kind.UNION] = TYPE.union;
  fields[Kind.ENUM] = TYPE.enum;
  fields[Kind.FWD] = TYPE.fwd;
  fields[Kind.TYPEDEF] = TYPE.typedef;
  fields[Kind.VOLATILE] = TYPE.volatile;
  fields[Kind.CONST] = TYPE.const;
  fields[Kind.RESTRICT] = TYPE.restrict;
  fields[Kind.FUNC] = TYPE.func;
  fields[Kind.FUNC_PROTO] = TYPE.funcProto;
  fields[Kind.VAR] = TYPE.var;
  fields[Kind.DATASEC] = TYPE.datasec;
  fields[Kind.FLOAT] = TYPE.float;
  fields[Kind.DECL_TAG] = TYPE.declTag;
  fields[Kind.TYPE_TAG] = TYPE.typeTag;
  fields[Kind.ENUM64] = TYPE.enum64;
  return fields;
}
