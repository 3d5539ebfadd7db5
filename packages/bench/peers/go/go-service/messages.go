package main

import (
	"strings"
	"unicode/utf8"

	pb "btfd/btf/v1"

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
func messageOf(spec *btf.Spec, id btf.TypeID, typ btf.Type) (*pb.Type, int, error) {
	c := &converter{spec: spec, size: typeBytes}
	message := &pb.Type{Id: uint32(id), Kind: kindOf(typ), Name: c.text(typ.TypeName())}
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

func (c *converter) setDetail(message *pb.Type, typ btf.Type) {
	switch typ := typ.(type) {
	case *btf.Int:
		message.Detail = &pb.Type_Int{Int: &pb.Int{Size: typ.Size, Encoding: uint32(typ.Encoding), Bits: 8 * typ.Size}}
	case *btf.Pointer:
		message.Detail = &pb.Type_Ptr{Ptr: &pb.Pointer{TypeId: c.id(typ.Target)}}
	case *btf.Array:
		array := &pb.Array{TypeId: c.id(typ.Type), IndexTypeId: c.id(typ.Index), Nelems: typ.Nelems}
		message.Detail = &pb.Type_Array{Array: array}
	case *btf.Struct:
		message.Detail = &pb.Type_Struct{Struct: c.composite(typ.Size, typ.Members)}
	case *btf.Union:
		message.Detail = &pb.Type_Union{Union: c.composite(typ.Size, typ.Members)}
	case *btf.Enum:
		c.setEnum(message, typ)
	case *btf.Fwd:
		message.Detail = &pb.Type_Fwd{Fwd: &pb.Fwd{Union: typ.Kind == btf.FwdUnion}}
	case *btf.Typedef:
		message.Detail = &pb.Type_Typedef{Typedef: &pb.Typedef{TypeId: c.id(typ.Type)}}
	case *btf.Volatile:
		message.Detail = &pb.Type_Volatile{Volatile: &pb.Volatile{TypeId: c.id(typ.Type)}}
	case *btf.Const:
		message.Detail = &pb.Type_Const{Const: &pb.Const{TypeId: c.id(typ.Type)}}
	case *btf.Restrict:
		message.Detail = &pb.Type_Restrict{Restrict: &pb.Restrict{TypeId: c.id(typ.Type)}}
	case *btf.Func:
		message.Detail = &pb.Type_Func{Func: &pb.Func{TypeId: c.id(typ.Type), Linkage: uint32(typ.Linkage)}}
	case *btf.FuncProto:
		message.Detail = &pb.Type_FuncProto{FuncProto: c.funcProto(typ)}
	case *btf.Var:
		message.Detail = &pb.Type_Var{Var: &pb.Var{TypeId: c.id(typ.Type), Linkage: uint32(typ.Linkage)}}
	case *btf.Datasec:
		message.Detail = &pb.Type_Datasec{Datasec: c.datasec(typ)}
	case *btf.Float:
		message.Detail = &pb.Type_Float{Float: &pb.Float{Size: typ.Size}}
	case *btf.TypeTag:
		message.Name = c.text(typ.Value)
		message.Detail = &pb.Type_TypeTag{TypeTag: &pb.TypeTag{TypeId: c.id(typ.Type)}}
	default:
		tag := declTagOf(typ)
		message.Name = c.text(tag.Value)
		message.Detail = &pb.Type_DeclTag{DeclTag: &pb.DeclTag{TypeId: c.id(tag.Type), ComponentIdx: int32(tag.Index)}}
	}
}

func (c *converter) composite(size uint32, members []btf.Member) *pb.Composite {
	c.size += memberBytes * len(members)
	list := make([]*pb.Member, len(members))
	for i := range members {
		m := &members[i]
		list[i] = &pb.Member{
			Name:         c.text(m.Name),
			TypeId:       c.id(m.Type),
			BitOffset:    uint32(m.Offset),
			BitfieldSize: uint32(m.BitfieldSize),
		}
	}
	return &pb.Composite{Size: size, Members: list}
}

func (c *converter) setEnum(message *pb.Type, typ *btf.Enum) {
	c.size += valueBytes * len(typ.Values)
	if message.Kind == kindEnum64 {
		values := make([]*pb.Enum64Value, len(typ.Values))
		for i, value := range typ.Values {
			values[i] = &pb.Enum64Value{Name: c.text(value.Name), Bits: value.Value}
		}
		enum := &pb.Enum64{Size: typ.Size, Signed: typ.Signed, Values: values}
		message.Detail = &pb.Type_Enum64{Enum64: enum}
		return
	}
	values := make([]*pb.EnumValue, len(typ.Values))
	for i, value := range typ.Values {
		values[i] = &pb.EnumValue{Name: c.text(value.Name), Value: int64(value.Value)}
	}
	message.Detail = &pb.Type_Enum{Enum: &pb.Enum{Size: typ.Size, Signed: typ.Signed, Values: values}}
}

func (c *converter) funcProto(typ *btf.FuncProto) *pb.FuncProto {
	c.size += paramBytes * len(typ.Params)
	params := make([]*pb.FuncParam, len(typ.Params))
	for i, param := range typ.Params {
		params[i] = &pb.FuncParam{Name: c.text(param.Name), TypeId: c.id(param.Type)}
	}
	return &pb.FuncProto{ReturnTypeId: c.id(typ.Return), Params: params}
}

func (c *converter) datasec(typ *btf.Datasec) *pb.Datasec {
	c.size += varBytes * len(typ.Vars)
	vars := make([]*pb.VarSecinfo, len(typ.Vars))
	for i, v := range typ.Vars {
		vars[i] = &pb.VarSecinfo{TypeId: c.id(v.Type), Offset: v.Offset, Size: v.Size}
	}
	return &pb.Datasec{Size: typ.Size, Vars: vars}
}
