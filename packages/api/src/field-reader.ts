const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Wire types of protobuf. */
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * FieldReader reads fields of an encoded message by their numbers, without a description of the message. The last value
 * of a field counts, and a field that is absent has the default value of its type, as in proto3.
 */
export class FieldReader {
  /** The values by field number, in the order of the message. Fixed-width values, which no error has, are left out. */
  readonly #fields = new Map<number, (bigint | Uint8Array)[]>();

  /** @throws RangeError for bytes that are not a message, or that have groups, which proto3 does not have. */
  constructor(bytes: Uint8Array) {
    let at = 0;
    const varint = (): bigint => {
      let value = 0n;
      for (let shift = 0n; shift < 70n; shift += 7n) {
        const byte = bytes[at];
        if (byte === undefined) break;
        at += 1;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return BigInt.asIntN(64, value);
      }
      throw new RangeError('a varint does not end');
    };
    const skip = (length: number): void => {
      if (length < 0 || length > bytes.length - at) throw new RangeError('a field ends after the message');
      at += length;
    };
    while (at < bytes.length) {
      const tag = Number(BigInt.asUintN(32, varint()));
      const number = tag >>> 3;
      if (number === 0) throw new RangeError('a field has the number 0');
      switch (tag & 7) {
        case VARINT:
          this.#add(number, varint());
          break;
        case BYTES: {
          const length = Number(varint());
          const start = at;
          skip(length);
          this.#add(number, bytes.subarray(start, at));
          break;
        }
        case FIXED64:
          skip(8);
          break;
        case FIXED32:
          skip(4);
          break;
        default:
          throw new RangeError(`a field has the wire type ${tag & 7}`);
      }
    }
  }

  has(number: number): boolean {
    return this.#fields.has(number);
  }

  /** integer returns an integer of at most 64 bits, with its sign. @throws RangeError for another wire type. */
  integer(number: number): bigint {
    const value = this.#fields.get(number)?.at(-1) ?? 0n;
    if (typeof value === 'bigint') return value;
    throw new RangeError(`field ${number} is not an integer`);
  }

  /** unsigned returns an integer of 32 bits without a sign, an enum or a boolean. @throws RangeError for another wire type. */
  unsigned(number: number): number {
    return Number(BigInt.asUintN(32, this.integer(number)));
  }

  /** bytes returns bytes, in an array of their own. @throws RangeError for another wire type. */
  bytes(number: number): Uint8Array {
    return Uint8Array.from(this.#all(number).at(-1) ?? []);
  }

  /** text returns a string. @throws an Error for invalid UTF-8, and for another wire type. */
  text(number: number): string {
    return decoder.decode(this.#all(number).at(-1));
  }

  /** message returns a message. Several are merged, as protobuf does it. @throws RangeError as the constructor does. */
  message(number: number): FieldReader {
    const parts = this.#all(number);
    const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return new FieldReader(joined);
  }

  /** messages returns the messages of a repeated field. @throws RangeError as the constructor does. */
  messages(number: number): FieldReader[] {
    return this.#all(number).map((bytes) => new FieldReader(bytes));
  }

  /** map returns a map of strings: entries with key = 1, value = 2. @throws as {@link messages} and {@link text} do. */
  map(number: number): Record<string, string> {
    return Object.fromEntries(this.messages(number).map((entry) => [entry.text(1), entry.text(2)]));
  }

  #all(number: number): readonly Uint8Array[] {
    return (this.#fields.get(number) ?? []).map((value) => {
      if (typeof value !== 'bigint') return value;
      throw new RangeError(`field ${number} is not a string or message`);
    });
  }

  #add(number: number, value: bigint | Uint8Array): void {
    const values = this.#fields.get(number);
    if (values === undefined) this.#fields.set(number, [value]);
    else values.push(value);
  }
}
