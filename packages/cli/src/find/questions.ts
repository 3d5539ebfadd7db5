import {
  type FunctionUse,
  formatTypeName,
  functionsReturning,
  functionsTaking,
  Kind,
  membersContaining,
  membersPointingTo,
  type MemberUse,
  type Spec,
  structSize,
  type TypeId,
} from '@btfd/btf';
import { usageError } from '../error/cli-error.js';
import type { KindWord } from '../diff/diff-kinds.js';
import type { FindOptions } from '../grammar/find.js';
import { grouped } from '../output/numbers.js';
import type { Column } from '../output/table.js';
import { typeIdOf, withoutKeyword } from '../source/chosen-types.js';
import { type Match, matchData, matchOf } from './match.js';

/** Row is a match with the parts that a question adds: to the data, and cells of the table. */
export interface Row {
  readonly match: Match;
  readonly data: object;
  readonly cells: readonly string[];
  /** Rows with a larger number come first. */
  readonly rank: number;
}

/** Question is what `find` looks for, other than names. */
export interface Question {
  /** The type that is looked for; null for questions about each struct. */
  readonly type: string | null;
  /** Words for an answer that is empty, such as `no struct contains list_head`. */
  readonly none: string;
  /** The kinds of types that it can show. */
  readonly kinds: readonly KindWord[];
  /** The columns after the object. */
  readonly columns: readonly Column[];
  /** The columns of `-o wide` after these show the match itself. */
  readonly rows: (object: string, spec: Spec, targets: readonly TypeId[]) => Iterable<Row>;
}

/**
 * questionOf returns the question of the options; null if only names are searched.
 *
 * @throws CliError USAGE for `--nested` without a question that it belongs to, and for a `--kind` that the question never shows.
 */
export function questionOf(options: FindOptions): Question | null {
  const question = askedIn(options);
  const { kind } = options;
  if (question === null || kind === undefined || question.kinds.some((one) => one === kind)) return question;
  throw usageError(
    `this search never finds types of kind ${kind}`,
    `leave out --kind, or use --kind ${question.kinds.join(' or ')}`,
  );
}

function askedIn(options: FindOptions): Question | null {
  const { contains, pointsTo, takes, returns, nested = false, sizes = false, packable = false } = options;
  if (nested && contains === undefined && pointsTo === undefined) {
    throw usageError('--nested needs --contains or --points-to');
  }
  if (contains !== undefined) {
    return ofMembers(contains, `no struct or union contains ${contains}`, (spec, targets) =>
      membersContaining(spec, targets, { nested }),
    );
  }
  if (pointsTo !== undefined) {
    return ofMembers(pointsTo, `no struct or union has a pointer to ${pointsTo}`, (spec, targets) =>
      membersPointingTo(spec, targets, { nested }),
    );
  }
  if (takes !== undefined) return ofParameters(takes);
  if (returns !== undefined) return ofResults(returns);
  return sizes || packable ? ofSizes(packable) : null;
}

/**
 * targetsOf returns the types that the type of a question may mean, also those of the base: all types with the name, after a
 * keyword only those of its kind and their declarations.
 */
export function targetsOf(spec: Spec, text: string): TypeId[] {
  const { name, keyword, kinds } = withoutKeyword(text);
  const typeId = typeIdOf(text);
  if (typeId !== null) return typeId >= 1 && typeId < spec.endTypeId ? [typeId] : [];
  return spec.idsByName(name).filter((id) => {
    const kind = spec.kindOf(id);
    if (kinds === null) return !NOT_TYPES.has(kind);
    return kinds.includes(kind) || (kind === Kind.FWD && isDeclared(spec, id, keyword));
  });
}

/** The kinds of which no member, parameter or result can be. */
const NOT_TYPES: ReadonlySet<number> = new Set([
  Kind.FUNC,
  Kind.VAR,
  Kind.DATASEC,
  Kind.DECL_TAG,
  Kind.TYPE_TAG,
]);

/** ASKED_KINDS are the kinds of types that a question can be about. */
export const ASKED_KINDS: readonly number[] = Object.values(Kind).filter((kind) => !NOT_TYPES.has(kind));

function isDeclared(spec: Spec, id: TypeId, keyword: string | null): boolean {
  const type = spec.typeById(id);
  return type.kind === 'FWD' && keyword === (type.union ? 'union' : 'struct');
}

function ofMembers(
  type: string,
  none: string,
  usesIn: (spec: Spec, targets: readonly TypeId[]) => Iterable<MemberUse>,
): Question {
  return {
    // A struct without a name is shown as its typedef.
    kinds: ['struct', 'union', 'typedef'],
    type,
    none,
    columns: [{ heading: 'MEMBER', shrinks: true }, { heading: 'OFFSET', align: 'right' }, TYPE_COLUMN],
    *rows(object, spec, targets) {
      for (const { typeId, name, path, bitOffset, bitfieldSize, memberTypeId, pointers } of usesIn(
        spec,
        targets,
      )) {
        const memberType = formatTypeName(spec, memberTypeId);
        const offset = Math.floor(bitOffset / 8);
        const bits = bitfieldSize === 0 ? {} : { bitOffset: bitOffset % 8, bitfieldSize };
        const member = { path, type: memberType, offset, ...bits, pointers };
        yield {
          match: matchOf(object, spec, typeId),
          data: { member },
          cells: [path === '' ? name : `${name}.${path}`, grouped(offset), memberType],
          rank: 0,
        };
      }
    },
  };
}

function ofParameters(type: string): Question {
  return {
    kinds: ['func'],
    type,
    none: `no function takes ${type}`,
    columns: [FUNCTION_COLUMN, { heading: '#', align: 'right' }, { heading: 'PARAMETER' }, TYPE_COLUMN],
    *rows(object, spec, targets) {
      for (const use of functionsTaking(spec, targets)) {
        const used = usedType(spec, use);
        // Positions count from 1.
        const position = use.index + 1;
        yield {
          match: matchOf(object, spec, use.typeId),
          data: { parameter: { position, name: use.parameter, ...used } },
          cells: [use.name, String(position), use.parameter, used.type],
          rank: 0,
        };
      }
    },
  };
}

function ofResults(type: string): Question {
  return {
    kinds: ['func'],
    type,
    none: `no function returns ${type}`,
    columns: [FUNCTION_COLUMN, TYPE_COLUMN],
    *rows(object, spec, targets) {
      for (const use of functionsReturning(spec, targets)) {
        const result = usedType(spec, use);
        const match = matchOf(object, spec, use.typeId);
        yield { match, data: { result }, cells: [use.name, result.type], rank: 0 };
      }
    },
  };
}

function usedType(spec: Spec, { usedTypeId, pointers }: FunctionUse): { type: string; pointers: number } {
  return { type: formatTypeName(spec, usedTypeId), pointers };
}

function ofSizes(packable: boolean): Question {
  const right = (heading: string): Column => ({ heading, align: 'right' });
  const columns = packable
    ? ['BYTES', 'PACKED', 'SAVES', 'HOLES', 'PADDING']
    : ['BYTES', 'HOLES', 'HOLE BYTES', 'PADDING'];
  return {
    kinds: packable ? ['struct'] : ['struct', 'union'],
    type: null,
    none: packable
      ? 'no struct would be smaller with its members in another order'
      : 'there is no struct or union',
    columns: [{ heading: 'NAME', shrinks: true }, ...columns.map(right)],
    *rows(object, spec) {
      for (const id of spec.typeIds()) {
        const kind = spec.kindOf(id);
        if ((kind !== Kind.STRUCT && kind !== Kind.UNION) || spec.nameOf(id) === '') continue;
        const { size, memberCount, holes, holeBytes, padding, packedSize } = structSize(spec, id);
        const saves = size - packedSize;
        if (packable && saves === 0) continue;
        const counts = packable
          ? [size, packedSize, saves, holes, padding]
          : [size, holes, holeBytes, padding];
        yield {
          match: matchOf(object, spec, id),
          data: { room: { members: memberCount, holes, holeBytes, padding, packedSize } },
          cells: [spec.nameOf(id), ...counts.map(grouped)],
          rank: packable ? saves : size,
        };
      }
    },
  };
}

const FUNCTION_COLUMN: Column = { heading: 'FUNCTION', shrinks: true };
const TYPE_COLUMN: Column = { heading: 'TYPE', shrinks: true };

/** rowData returns a row as data. */
export function rowData({ match, data }: Row): object {
  return { ...matchData(match), ...data };
}
