import type { Layout, LayoutClose, LayoutGap, LayoutMember, LayoutRow } from './layout.js';

/** Bytes of a cache line on x86 and arm64, as pahole assumes. */
const CACHE_LINE = 64;

/** Columns of the type, and of type and name together, at the first level. Each further level has eight fewer. */
const TYPE_COLUMNS = 26;
const DECLARATION_COLUMNS = 49;

/** formatLayout returns a layout as text like pahole's: C with offsets, holes, cache lines and totals in comments. */
export function formatLayout(layout: Layout): string {
  const { keyword, name, rows } = layout;
  const lines = [name === '' ? `${keyword} {` : `${keyword} ${name} {`];
  // As in pahole, an anonymous type and the members after it each continue from the cache line before it.
  const around: number[] = [];
  let cacheLine = 0;
  let remarks: string[] = [];
  for (const row of rows) {
    if (row.row === 'hole') remarks.push(...holeRemarks(row));
    else {
      if (remarks.length > 0) lines.push('', ...remarks, '');
      remarks = row.row === 'member' || row.row === 'close' ? paddingRemarks(row) : [];
    }
    if (row.row === 'close') cacheLine = around.pop() ?? 0;
    if (row.row === 'open' || row.row === 'member') {
      const line = Math.floor(row.offset / CACHE_LINE);
      if (line > cacheLine) lines.push(boundary(line, row.offset, row.depth));
      cacheLine = Math.max(line, cacheLine);
    }
    if (row.row === 'open') around.push(cacheLine);
    lines.push(...linesOf(row));
  }
  if (remarks.length > 0) lines.push('', ...remarks);
  return [...lines, '', ...sums(layout), '};', ''].join('\n');
}

function boundary(line: number, offset: number, depth: number): string {
  const start = line * CACHE_LINE;
  const past = offset - start;
  const ago = past === 0 ? '' : ` was ${past} ${plural(past, 'byte')} ago`;
  return `${tabs(depth)}/* --- cacheline ${line} boundary (${start} bytes)${ago} --- */`;
}

function linesOf(row: LayoutRow): string[] {
  switch (row.row) {
    case 'member':
      return [memberLine(row)];
    case 'open':
      return [`${tabs(row.depth)}${row.type} {`];
    case 'close': {
      const text = row.name === '' ? '};' : `} ${row.name};`;
      return [withPlace(text, row.depth, number(row.offset), row.size)];
    }
    case 'hole':
    case 'padding':
      // The remarks and the totals show it.
      return [];
  }
}

function memberLine({
  depth,
  type,
  declaration,
  offset,
  size,
  bitOffset,
  bitfieldSize,
}: LayoutMember): string {
  const left = leftPart(type, declaration);
  const right = declaration.slice(left.length).trimStart();
  const width = bitfieldSize === 0 ? '' : `:${bitfieldSize}`;
  const text = `${left.trimEnd().padEnd(columns(TYPE_COLUMNS, depth))} ${right}${width};`;
  // A bitfield has its bit where other members have nothing.
  const place = bitfieldSize === 0 ? number(offset) : `${number(offset)}:${String(bitOffset).padStart(2)}`;
  return withPlace(text, depth, place, size, bitfieldSize === 0 ? 5 : 2);
}

/** The common part of a type and a declaration with it, before the name. */
function leftPart(type: string, declaration: string): string {
  let length = 0;
  while (length < type.length && type[length] === declaration[length]) length += 1;
  const open = type.slice(0, length).search(/\(\**$/);
  return type.slice(0, open === -1 ? length : open);
}

function paddingRemarks({ depth, innerPadding: bytes }: LayoutMember | LayoutClose): string[] {
  return bytes === 0
    ? []
    : [`${tabs(depth)}/* XXX last struct has ${bytes} ${plural(bytes, 'byte')} of padding */`];
}

function holeRemarks({ depth, bytes, bits }: LayoutGap): string[] {
  const remark = (count: number, word: string): string[] =>
    count === 0 ? [] : [`${tabs(depth)}/* XXX ${count} ${plural(count, word)} hole, try to pack */`];
  return [...remark(bits, 'bit'), ...remark(bytes, 'byte')];
}

function sums(layout: Layout): string[] {
  const { size, memberCount, memberBytes, holes, bitHoles, bitfieldBits, padding, paddingBits } = layout;
  const lines = [`size: ${size}, cachelines: ${Math.ceil(size / CACHE_LINE)}, members: ${memberCount}`];
  if (holes > 0 || bitHoles > 0) {
    const bytes = holes > 0 ? `, holes: ${holes}, sum holes: ${layout.holeBytes}` : '';
    const bits = `, bit holes: ${bitHoles}, sum bit holes: ${layout.holeBits} bits`;
    if (memberBytes > 0) lines.push(`sum members: ${memberBytes}${bytes}`);
    if (bitfieldBits > 0) {
      const end = bitHoles > 0 ? bits : ` (${Math.floor(bitfieldBits / 8)} bytes)`;
      lines.push(`sum bitfield members: ${bitfieldBits} bits${end}`);
    }
  }
  if (padding > 0) lines.push(`padding: ${padding}`);
  const { innerPaddings, innerPaddingBytes, forcedAlignments, forcedHoles, forcedHoleBytes } = layout;
  if (innerPaddings > 0) lines.push(`paddings: ${innerPaddings}, sum paddings: ${innerPaddingBytes}`);
  if (paddingBits > 0) lines.push(`bit_padding: ${paddingBits} bits`);
  if (forcedAlignments > 0) {
    const sum = forcedHoles > 0 ? `, forced holes: ${forcedHoles}, sum forced holes: ${forcedHoleBytes}` : '';
    lines.push(`forced alignments: ${forcedAlignments}${sum}`);
  }
  if (size % CACHE_LINE !== 0) lines.push(`last cacheline: ${size % CACHE_LINE} bytes`);
  return lines.map((line) => `\t/* ${line} */`);
}

function withPlace(text: string, depth: number, place: string, size: number, sizeColumns = 5): string {
  const padded = text.padEnd(columns(DECLARATION_COLUMNS, depth) - 1);
  return `${tabs(depth)}${padded} /* ${place} ${number(size, sizeColumns)} */`;
}

function number(value: number, width = 5): string {
  return String(value).padStart(width);
}

function columns(atFirstLevel: number, depth: number): number {
  return Math.max(0, atFirstLevel - 8 * (depth - 1));
}

function tabs(depth: number): string {
  return '\t'.repeat(depth);
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`;
}
