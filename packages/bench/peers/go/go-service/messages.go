package main

import (
	"strings"
	"unicode/utf8"

	"btfd/btfv1"

	"github.com/cilium/ebpf/btf"
)

// Upper bounds of the encoded sizes of a type without its lists, and of the entries of lists, all without names.
const (
	typeBytes   = 38
	memberBytes = 19
	paramBytes  = 11
	valueBytes  = 16
	varBytes    = 21
)

// converter makes messages of the types of a Spec. It keeps its first error.
type converter struct {
	spec *btf.Spec
	// size is an upper bound of the encoded size of the message.
	size int
	err  error
}

// messageOf returns the message of a type, and an upper bound of its encoded size.
func messageOf(spec *btf.Spec, id btf.TypeID, typ btf.Type) (*btfv1.Type, int, error) {
	c := &converter{spec: spec, size: typeBytes}
	message := &btfv1.Type{Id: uint32(id), Kind: kindOf(typ), Name: c.text(typ.TypeName())}
	c.setDetail(message, typ)
	return message, c.size, c.err
}

func (c *converter) id(typ btf.Type) uint32 {
	id, err := c.spec.TypeID(typ)
	if err != nil && c.err == nil {
		c.err = err
	}
	return uint32(id)
}

// text replaces bytes that are not UTF-8, as the contract says.
func (c *converter) text(name string) string {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "\uFFFD")
	}
	c.size += len(name)
	return name
}

func (c *converter) setDetail(message *btfv1.Type, typ btf.Type) {
	switch typ := typ.(type) {
	case *btf.Int:
		message.Detail = &btfv1.Type_Int{Int: &btfv1.Int{Size: typ.Size, Encoding: uint32(typ.Encoding), Bits: 8 * typ.Size}}
	case *btf.Pointer:
		message.Detail = &btfv1.Type_Ptr{Ptr: &btfv1.Pointer{TypeId: c.id(typ.Target)}}
	case *btf.Array:
		array := &btfv1.Array{TypeId: c.id(typ.Type), IndexTypeId: c.id(typ.Index), Nelems: typ.Nelems}
		message.Detail = &btfv1.Type_Array{Array: array}
	case *btf.Struct:
		message.Detail = &btfv1.Type_Struct{Struct: c.composite(typ.Size, typ.Members)}
	case *btf.Union:
		message.Detail = &btfv1.Type_Union{Union: c.composite(typ.Size, typ.Members)}
	case *btf.Enum:
		c.setEnum(message, typ)
	case *btf.Fwd:
		message.Detail = &btfv1.Type_Fwd{Fwd: &btfv1.Fwd{Union: typ.Kind == btf.FwdUnion}}
	case *btf.Typedef:
		message.Detail = &btfv1.Type_Typedef{Typedef: &btfv1.Typedef{TypeId: c.id(typ.Type)}}
	case *btf.Volatile:
		message.Detail = &btfv1.Type_Volatile{Volatile: &btfv1.Volatile{TypeId: c.id(typ.Type)}}
	case *btf.Const:
		message.Detail = &btfv1.Type_Const{Const: &btfv1.Const{TypeId: c.id(typ.Type)}}
	case *btf.Restrict:
		message.Detail = &btfv1.Type_Restrict{Restrict: &btfv1.Restrict{TypeId: c.id(typ.Type)}}
	case *btf.Func:
		message.Detail = &btfv1.Type_Func{Func: &btfv1.Func{TypeId: c.id(typ.Type), Linkage: uint32(typ.Linkage)}}
	case *btf.FuncProto:
		message.Detail = &btfv1.Type_FuncProto{FuncProto: c.funcProto(typ)}
	case *btf.Var:
		message.Detail = &btfv1.Type_Var{Var: &btfv1.Var{TypeId: c.id(typ.Type), Linkage: uint32(typ.Linkage)}}
	case *btf.Datasec:
		message.Detail = &btfv1.Type_Datasec{Datasec: c.datasec(typ)}
	case *btf.Float:
		message.Detail = &btfv1.Type_Float{Float: &btfv1.Float{Size: typ.Size}}
	case *btf.TypeTag:
		message.Name = c.text(typ.Value)
		message.Detail = &btfv1.Type_TypeTag{TypeTag: &btfv1.TypeTag{TypeId: c.id(typ.Type)}}
	default:
		tag := declTagOf(typ)
		message.Name = c.text(tag.Value)
		message.Detail = &btfv1.Type_DeclTag{DeclTag: &btfv1.DeclTag{TypeId: c.id(tag.Type), ComponentIdx: int32(tag.Index)}}
	}
}

func (c *converter) composite(size uint32, members []btf.Member) *btfv1.Composite {
	c.size += memberBytes * len(members)
	list := make([]*btfv1.Member, len(members))
	for i := range members {
		m := &members[i]
		list[i] = &btfv1.Member{
			Name:         c.text(m.Name),
			TypeId:       c.id(m.Type),
			BitOffset:    uint32(m.Offset),
			BitfieldSize: uint32(m.BitfieldSize),
		}
	}
	return &btfv1.Composite{Size: size, Members: list}
}

func (c *converter) setEnum(message *btfv1.Type, typ *btf.Enum) {
	c.size += valueBytes * len(typ.Values)
	if message.Kind == kindEnum64 {
		values := make([]*btfv1.Enum64Value, len(typ.Values))
		for i, value := range typ.Values {
			values[i] = &btfv1.Enum64Value{Name: c.text(value.Name), Bits: value.Value}
		}
		enum := &btfv1.Enum64{Size: typ.Size, Signed: typ.Signed, Values: values}
		message.Detail = &btfv1.Type_Enum64{Enum64: enum}
		return
	}
	values := make([]*btfv1.EnumValue, len(typ.Values))
	for i, value := range typ.Values {
		values[i] = &btfv1.EnumValue{Name: c.text(value.Name), Value: int64(value.Value)}
	}
	message.Detail = &btfv1.Type_Enum{Enum: &btfv1.Enum{Size: typ.Size, Signed: typ.Signed, Values: values}}
}

func (c *converter) funcProto(typ *btf.FuncProto) *btfv1.FuncProto {
	c.size += paramBytes * len(typ.Params)
	params := make([]*btfv1.FuncParam, len(typ.Params))
	for i, param := range typ.Params {
		params[i] = &btfv1.FuncParam{Name: c.text(param.Name), TypeId: c.id(param.Type)}
	}
	return &btfv1.FuncProto{ReturnTypeId: c.id(typ.Return), Params: params}
}

func (c *converter) datasec(typ *btf.Datasec) *btfv1.Datasec {
	c.size += varBytes * len(typ.Vars)
	vars := make([]*btfv1.VarSecinfo, len(typ.Vars))
	for i, v := range typ.Vars {
		vars[i] = &btfv1.VarSecinfo{TypeId: c.id(v.Type), Offset: v.Offset, Size: v.Size}
	}
	return &btfv1.Datasec{Size: typ.Size, Vars: vars}
}
