import type { Layout, LayoutRow } from '@btfd/btf';
import { CACHE_LINE } from './cache-line.js';

/** layoutData returns a layout for programs. The rows of an anonymous type are between `open` and `close`. */
export function layoutData(layout: Layout): unknown {
  return {
    id: layout.typeId,
    kind: layout.keyword === 'struct' ? 'STRUCT' : 'UNION',
    name: layout.name,
    size: layout.size,
    cache_lines: Math.ceil(layout.size / CACHE_LINE),
    members: layout.memberCount,
    holes: layout.holes,
    hole_bytes: layout.holeBytes,
    bit_holes: layout.bitHoles,
    hole_bits: layout.holeBits,
    padding: layout.padding,
    padding_bits: layout.paddingBits,
    rows: layout.rows.map(rowData),
  };
}

function rowData(row: LayoutRow): unknown {
  switch (row.row) {
    case 'member': {
      const { depth, name, typeId, type, offset, size, bitOffset, bitfieldSize } = row;
      const bits = bitfieldSize === 0 ? {} : { bit_offset: bitOffset, bitfield_size: bitfieldSize };
      return { row: 'member', depth, name, type_id: typeId, type, offset, size, ...bits };
    }
    case 'open':
      return { row: 'open', depth: row.depth, type: row.type, offset: row.offset, size: row.size };
    case 'close':
      return { row: 'close', depth: row.depth, name: row.name, offset: row.offset, size: row.size };
    case 'hole':
    case 'padding':
      return { row: row.row, depth: row.depth, offset: row.offset, bytes: row.bytes, bits: row.bits };
  }
}
