package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// Kinds of linux/btf.h.
const (
	kindInt       = 1
	kindArray     = 3
	kindStruct    = 4
	kindUnion     = 5
	kindEnum      = 6
	kindFuncProto = 13
	kindVar       = 14
	kindDatasec   = 15
	kindDeclTag   = 17
	kindTypeTag   = 18
	kindEnum64    = 19
)

// readNames returns the names of types by id, as all drivers do. It leaves out types without a name, and names that a
// Spec of cilium/ebpf does not find: those of tags, and those with `___`. It takes that for the start of a flavour, also
// at the beginning of a function's name.
func readNames(raw []byte) ([]string, error) {
	order := binary.LittleEndian
	if len(raw) < 24 || order.Uint16(raw) != 0xeb9f {
		return nil, fmt.Errorf("not raw BTF in little endian")
	}
	body := raw[order.Uint32(raw[4:]):]
	types := body[order.Uint32(raw[8:]):][:order.Uint32(raw[12:])]
	text := body[order.Uint32(raw[16:]):][:order.Uint32(raw[20:])]
	var names []string
	ofTags := make(map[string]bool)
	for len(types) >= 12 {
		nameOff, info := order.Uint32(types), order.Uint32(types[4:])
		kind := info >> 24 & 0x1f
		name, _, _ := bytes.Cut(text[nameOff:], []byte{0})
		if kind == kindDeclTag || kind == kindTypeTag {
			ofTags[string(name)] = true
		} else if len(name) > 0 && !bytes.Contains(name, []byte("___")) {
			names = append(names, string(name))
		}
		types = types[12+sizeOfData(kind, info&0xffff):]
	}
	return slices.DeleteFunc(names, func(name string) bool { return ofTags[name] }), nil
}

// sizeOfData returns the number of bytes after the three words of a type.
func sizeOfData(kind, vlen uint32) uint32 {
	switch kind {
	case kindInt, kindVar, kindDeclTag:
		return 4
	case kindArray:
		return 12
	case kindStruct, kindUnion, kindDatasec, kindEnum64:
		return 12 * vlen
	case kindEnum, kindFuncProto:
		return 8 * vlen
	default:
		return 0
	}
}
