import type { ByteOrder } from '../header.js';
import { Kind } from '../types.js';
import { BtfAssembler } from './assemble-btf.js';

/**
 * assembleAllKinds writes one BTF with every kind that bpftool 7.1 knows (up to ENUM64), and every flag and sign that a
 * kind has. Tests rely on its ids.
 */
export function assembleAllKinds(order: ByteOrder): BtfAssembler {
  const btf = new BtfAssembler(order);
  btf.type(Kind.INT, 'int', { sizeOrTypeId: 4, data: [(1 << 24) | 32] }); // 1
  btf.type(Kind.INT, 'char', { sizeOrTypeId: 1, data: [(2 << 24) | 8] }); // 2
  btf.type(Kind.INT, 'odd', { sizeOrTypeId: 8, data: [0xf0000000 | (0xc << 24) | (3 << 16) | 0xff05] }); // 3
  btf.type(Kind.PTR, '', { sizeOrTypeId: 1 }); // 4
  btf.type(Kind.ARRAY, '', { data: [2, 1, 0xfffffff0] }); // 5
  btf.type(Kind.STRUCT, 'plain', {
    vlen: 2,
    sizeOrTypeId: 16,
    data: ['a', 1, 0, '', 7, 0x01000040],
  }); // 6
  btf.type(Kind.UNION, '', { vlen: 1, sizeOrTypeId: 8, data: ['b', 4, 0] }); // 7
  btf.type(Kind.STRUCT, 'fields', {
    vlen: 4,
    kindFlag: true,
    sizeOrTypeId: 40,
    data: ['low', 1, 3 << 24, 'high', 1, (29 << 24) | 3, 'whole', 1, 32, 'wide', 1, (200 << 24) | 64],
  }); // 8
  btf.type(Kind.ENUM, 'unsigned', { vlen: 2, sizeOrTypeId: 4, data: ['ZERO', 0, 'MAX', 0xffffffff] }); // 9
  btf.type(Kind.ENUM, 'signed', { vlen: 1, kindFlag: true, sizeOrTypeId: 4, data: ['MINUS', -2] }); // 10
  btf.type(Kind.FWD, 'later'); // 11
  btf.type(Kind.FWD, 'later_union', { kindFlag: true }); // 12
  btf.type(Kind.TYPEDEF, 'size_t', { sizeOrTypeId: 1 }); // 13
  btf.type(Kind.VOLATILE, '', { sizeOrTypeId: 13 }); // 14
  btf.type(Kind.CONST, '', { sizeOrTypeId: 14 }); // 15
  btf.type(Kind.RESTRICT, '', { sizeOrTypeId: 4 }); // 16
  btf.type(Kind.FUNC_PROTO, '', { vlen: 2, sizeOrTypeId: 1, data: ['first', 4, 0, 0] }); // 17
  btf.type(Kind.FUNC, 'local', { vlen: 0, sizeOrTypeId: 17 }); // 18
  btf.type(Kind.FUNC, 'global', { vlen: 1, sizeOrTypeId: 17 }); // 19
  btf.type(Kind.FUNC, 'outer', { vlen: 2, sizeOrTypeId: 17 }); // 20
  btf.type(Kind.VAR, 'counter', { sizeOrTypeId: 1, data: [1] }); // 21
  btf.type(Kind.DATASEC, '.bss', { vlen: 1, sizeOrTypeId: 64, data: [21, 60, 4] }); // 22
  btf.type(Kind.FLOAT, 'double', { sizeOrTypeId: 8 }); // 23
  btf.type(Kind.DECL_TAG, 'tag', { sizeOrTypeId: 6, data: [-1] }); // 24
  btf.type(Kind.DECL_TAG, 'tag_a', { sizeOrTypeId: 6, data: [1], kindFlag: true }); // 25
  btf.type(Kind.TYPE_TAG, 'user', { sizeOrTypeId: 1 }); // 26
  btf.type(Kind.TYPE_TAG, 'percpu', { sizeOrTypeId: 1, kindFlag: true }); // 27
  btf.type(Kind.ENUM64, 'wide', {
    vlen: 2,
    sizeOrTypeId: 8,
    data: ['TOP', 0xfffffffe, 0xffffffff, 'HIGH', 1, 2],
  }); // 28
  btf.type(Kind.ENUM64, 'wide_signed', {
    vlen: 2,
    kindFlag: true,
    sizeOrTypeId: 8,
    data: ['LEAST', 0, 0x80000000, 'MINUS_ONE', -1, -1],
  }); // 29
  return btf;
}
