package main

import (
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// cName returns a type as C declares it, around the declarator `inner`: "struct list_head *", "char[16]".
func cName(typ btf.Type, inner string) string {
	switch typ := typ.(type) {
	case *btf.Pointer:
		switch btf.UnderlyingType(typ.Target).(type) {
		case *btf.Array, *btf.FuncProto:
			if _, named := typ.Target.(*btf.Typedef); !named {
				return cName(typ.Target, "(*"+inner+")")
			}
		}
		return cName(typ.Target, "*"+inner)
	case *btf.Array:
		return cName(typ.Type, fmt.Sprintf("%s[%d]", inner, typ.Nelems))
	case *btf.FuncProto:
		params := make([]string, len(typ.Params))
		for i, param := range typ.Params {
			if _, variadic := param.Type.(*btf.Void); variadic {
				params[i] = "..."
			} else {
				params[i] = cName(param.Type, "")
			}
		}
		if len(params) == 0 {
			params = []string{"void"}
		}
		return cName(typ.Return, inner+"("+strings.Join(params, ", ")+")")
	case *btf.Const:
		return qualified("const", typ.Type, inner)
	case *btf.Volatile:
		return qualified("volatile", typ.Type, inner)
	case *btf.Restrict:
		return qualified("restrict", typ.Type, inner)
	case *btf.TypeTag:
		return cName(typ.Type, inner)
	default:
		return declared(baseName(typ), inner)
	}
}

// qualified puts a qualifier of a pointer after the star, and any other in front.
func qualified(qualifier string, typ btf.Type, inner string) string {
	if _, isPointer := typ.(*btf.Pointer); isPointer {
		return cName(typ, declared(qualifier, inner))
	}
	return qualifier + " " + cName(typ, inner)
}

func baseName(typ btf.Type) string {
	keyword := ""
	switch typ := typ.(type) {
	case *btf.Void:
		return "void"
	case *btf.Struct:
		keyword = "struct"
	case *btf.Union:
		keyword = "union"
	case *btf.Enum:
		keyword = "enum"
	case *btf.Fwd:
		keyword = typ.Kind.String()
	default:
		return typ.TypeName()
	}
	if typ.TypeName() == "" {
		return keyword + " {...}"
	}
	return keyword + " " + typ.TypeName()
}

// declared separates a name from a declarator unless that starts with a bracket.
func declared(name, inner string) string {
	if inner == "" || inner[0] == '[' {
		return name + inner
	}
	return name + " " + inner
}
