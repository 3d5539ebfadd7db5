import { BtfFormatError } from '../format-error.js';
import { kindOfInfo, vlenOfInfo } from '../info.js';
import { Kind } from '../kind.js';

/**
 * What each word of a type is: `n` the offset of a name, `t` a type id, `.` anything else. First the words that
 * a type has once, then those that it has for each element.
 */
const WORDS: ReadonlyMap<number, readonly [once: string, each: string]> = new Map([
  [Kind.INT, ['n...', '']],
  [Kind.PTR, ['n.t', '']],
  [Kind.ARRAY, ['n..tt.', '']],
  [Kind.STRUCT, ['n..', 'nt.']],
  [Kind.UNION, ['n..', 'nt.']],
  [Kind.ENUM, ['n..', 'n.']],
  [Kind.FWD, ['n..', '']],
  [Kind.TYPEDEF, ['n.t', '']],
  [Kind.VOLATILE, ['n.t', '']],
  [Kind.CONST, ['n.t', '']],
  [Kind.RESTRICT, ['n.t', '']],
  [Kind.FUNC, ['n.t', '']],
  [Kind.FUNC_PROTO, ['n.t', 'nt']],
  [Kind.VAR, ['n.t.', '']],
  [Kind.DATASEC, ['n..', 't..']],
  [Kind.FLOAT, ['n..', '']],
  [Kind.DECL_TAG, ['n.t.', '']],
  [Kind.TYPE_TAG, ['n.t', '']],
  [Kind.ENUM64, ['n..', 'n..']],
]);

/** WordMaps gives what takes the place of a name's offset or a type id; `place` is its offset in the section. */
export interface WordMaps {
  name(offset: number, place: number): number;
  typeId(id: number, place: number): number;
}

/**
 * rewriteWords replaces names and type ids in a type section, in place. The section must be one that was indexed,
 * so that all types are whole.
 *
 * @throws BtfFormatError `UNSUPPORTED` for a kind that is not known: it may refer to types that cannot be seen.
 */
export function rewriteWords(types: DataView, littleEndian: boolean, maps: WordMaps): void {
  const rewrite = (words: string, at: number): number => {
    let place = at;
    for (const word of words) {
      if (word !== '.') {
        const value = types.getUint32(place, littleEndian);
        const mapped = word === 'n' ? maps.name(value, place) : maps.typeId(value, place);
        types.setUint32(place, mapped, littleEndian);
      }
      place += 4;
    }
    return place;
  };
  let at = 0;
  while (at < types.byteLength) {
    const info = types.getInt32(at + 4, littleEndian);
    const words = WORDS.get(kindOfInfo(info));
    if (words === undefined) {
      const message = `a type of kind ${kindOfInfo(info)} cannot be relocated`;
      throw new BtfFormatError('UNSUPPORTED', message, { offset: at });
    }
    const [once, each] = words;
    at = rewrite(once, at);
    if (each === '') continue;
    for (let count = vlenOfInfo(info); count > 0; count--) at = rewrite(each, at);
  }
}
