package main

import (
	"iter"
	"reflect"

	"github.com/cilium/ebpf/btf"
)

// Kinds of linux/btf.h.
const (
	kindInt       = 1
	kindPointer   = 2
	kindArray     = 3
	kindStruct    = 4
	kindUnion     = 5
	kindEnum      = 6
	kindFwd       = 7
	kindTypedef   = 8
	kindVolatile  = 9
	kindConst     = 10
	kindRestrict  = 11
	kindFunc      = 12
	kindFuncProto = 13
	kindVar       = 14
	kindDatasec   = 15
	kindFloat     = 16
	kindDeclTag   = 17
	kindTypeTag   = 18
	kindEnum64    = 19
)

// kindOf returns the kind of a type. Its only unexported class is that of declaration tags.
func kindOf(typ btf.Type) uint32 {
	switch typ := typ.(type) {
	case *btf.Int:
		return kindInt
	case *btf.Pointer:
		return kindPointer
	case *btf.Array:
		return kindArray
	case *btf.Struct:
		return kindStruct
	case *btf.Union:
		return kindUnion
	case *btf.Enum:
		if typ.Size > 4 {
			return kindEnum64
		}
		return kindEnum
	case *btf.Fwd:
		return kindFwd
	case *btf.Typedef:
		return kindTypedef
	case *btf.Volatile:
		return kindVolatile
	case *btf.Const:
		return kindConst
	case *btf.Restrict:
		return kindRestrict
	case *btf.Func:
		return kindFunc
	case *btf.FuncProto:
		return kindFuncProto
	case *btf.Var:
		return kindVar
	case *btf.Datasec:
		return kindDatasec
	case *btf.Float:
		return kindFloat
	case *btf.TypeTag:
		return kindTypeTag
	default:
		return kindDeclTag
	}
}

// declTag is a declaration tag. The class of cilium/ebpf is unexported, but its fields are not.
type declTag struct {
	Type  btf.Type
	Value string
	Index int
}

func declTagOf(typ btf.Type) declTag {
	fields := reflect.ValueOf(typ).Elem()
	target, _ := fields.FieldByName("Type").Interface().(btf.Type)
	return declTag{target, fields.FieldByName("Value").String(), int(fields.FieldByName("Index").Int())}
}

// references returns the types to which a type refers directly, with Void.
func references(typ btf.Type) iter.Seq[btf.Type] {
	return func(yield func(btf.Type) bool) {
		switch typ := typ.(type) {
		case *btf.Pointer:
			yield(typ.Target)
		case *btf.Array:
			_ = yield(typ.Type) && yield(typ.Index)
		case *btf.Struct:
			yieldMembers(typ.Members, yield)
		case *btf.Union:
			yieldMembers(typ.Members, yield)
		case *btf.Typedef:
			yield(typ.Type)
		case *btf.Volatile:
			yield(typ.Type)
		case *btf.Const:
			yield(typ.Type)
		case *btf.Restrict:
			yield(typ.Type)
		case *btf.TypeTag:
			yield(typ.Type)
		case *btf.Func:
			yield(typ.Type)
		case *btf.FuncProto:
			if !yield(typ.Return) {
				return
			}
			for i := range typ.Params {
				if !yield(typ.Params[i].Type) {
					return
				}
			}
		case *btf.Var:
			yield(typ.Type)
		case *btf.Datasec:
			for i := range typ.Vars {
				if !yield(typ.Vars[i].Type) {
					return
				}
			}
		case *btf.Int, *btf.Enum, *btf.Fwd, *btf.Float, *btf.Void:
		default:
			yield(declTagOf(typ).Type)
		}
	}
}

func yieldMembers(members []btf.Member, yield func(btf.Type) bool) {
	for i := range members {
		if !yield(members[i].Type) {
			return
		}
	}
}
