package main

import (
	"errors"
	"fmt"
	"strconv"

	pb "btfd/btf/v1"

	"github.com/cilium/ebpf/btf"
	"google.golang.org/protobuf/proto"
)

// place is where a walk along a path is.
type place struct {
	typ       btf.Type
	container btf.Type
	bits      uint64
	// bitfield is the width of a bitfield, otherwise 0.
	bitfield     uint64
	dereferences []*pb.Dereference
}

// walker follows a path through every type that a name on it may mean.
type walker struct {
	types *types
	found []place
	// fault is the one after the most steps.
	fault *pathFault
}

// resolve returns the member at the end of a path. Its error is a pathFault unless the types are malformed.
func resolve(t *types, text string) (*pb.ResolvedMember, error) {
	path, err := parsePath(text)
	if err != nil {
		return nil, err
	}
	roots, err := rootsOf(t, path)
	if err != nil {
		return nil, err
	}
	w := &walker{types: t}
	for _, root := range roots {
		if err := w.walk(place{typ: root, container: btf.UnderlyingType(root)}, path.steps, 0); err != nil {
			return nil, err
		}
	}
	if len(w.found) == 0 {
		return nil, w.fault
	}
	first, err := w.message(w.found[0])
	if err != nil {
		return nil, err
	}
	for _, other := range w.found[1:] {
		message, err := w.message(other)
		if err != nil {
			return nil, err
		}
		if !isSame(first, message) {
			return nil, &pathFault{ambiguous, -1, "types of one name differ"}
		}
	}
	return first, nil
}

// rootsOf returns the types in which a path may start.
func rootsOf(t *types, path *memberPath) ([]btf.Type, error) {
	missing := &pathFault{noSuchType, -1, "no struct, union or typedef " + path.root}
	if id, err := strconv.ParseUint(path.root, 10, 32); err == nil {
		typ, err := t.spec.TypeByID(btf.TypeID(id))
		if errors.Is(err, btf.ErrNotFound) {
			return nil, missing
		}
		return []btf.Type{typ}, err
	}
	named, err := t.spec.AnyTypesByName(path.root)
	if err != nil && !errors.Is(err, btf.ErrNotFound) {
		return nil, err
	}
	var roots []btf.Type
	for _, typ := range named {
		switch typ.(type) {
		case *btf.Struct:
			if path.keyword != "union" {
				roots = append(roots, typ)
			}
		case *btf.Union:
			if path.keyword != "struct" {
				roots = append(roots, typ)
			}
		case *btf.Typedef:
			if path.keyword == "" {
				roots = append(roots, typ)
			}
		}
	}
	if len(roots) == 0 {
		return nil, missing
	}
	return roots, nil
}

func (w *walker) walk(at place, steps []step, index int) error {
	if index == len(steps) {
		w.found = append(w.found, at)
		return nil
	}
	isElement := steps[index].member == ""
	if pointer, ok := btf.UnderlyingType(at.typ).(*btf.Pointer); ok {
		var err error
		if at, err = w.cross(at, pointer); err != nil {
			return err
		}
		if isElement {
			return w.intoElement(at, pointer.Target, steps, index)
		}
	}
	switch typ := btf.UnderlyingType(at.typ).(type) {
	case *btf.Array:
		if !isElement {
			w.fail(notAStruct, index, "an array has no members: give an index")
			return nil
		}
		if typ.Nelems > 0 && steps[index].index >= typ.Nelems {
			w.fail(noSuchMember, index, fmt.Sprintf("the array has %d elements", typ.Nelems))
			return nil
		}
		return w.intoElement(at, typ.Type, steps, index)
	case *btf.Struct:
		return w.intoMembers(at, typ.Members, steps, index)
	case *btf.Union:
		return w.intoMembers(at, typ.Members, steps, index)
	case *btf.Fwd:
		return w.intoDeclared(at, typ, steps, index)
	default:
		w.fail(notAStruct, index, "not a struct or union")
		return nil
	}
}

// cross goes through a pointer to its target.
func (w *walker) cross(at place, pointer *btf.Pointer) (place, error) {
	pointerID, err := w.types.spec.TypeID(pointer)
	if err != nil {
		return at, err
	}
	targetID, err := w.types.spec.TypeID(pointer.Target)
	if err != nil {
		return at, err
	}
	dereference := &pb.Dereference{
		BitOffset: at.bits,
		TypeId:    uint32(pointerID),
		TargetId:  uint32(targetID),
		Tags:      tagsOf(pointer.Target),
	}
	// Ways through different types share the beginning of the list.
	all := append(at.dereferences[:len(at.dereferences):len(at.dereferences)], dereference)
	return place{typ: pointer.Target, container: btf.UnderlyingType(pointer.Target), dereferences: all}, nil
}

func tagsOf(typ btf.Type) []string {
	var tags []string
	for {
		tag, ok := typ.(*btf.TypeTag)
		if !ok {
			return tags
		}
		tags = append(tags, tag.Value)
		typ = tag.Type
	}
}

// intoElement goes to an element of an array, or of what a pointer points to.
func (w *walker) intoElement(at place, typ btf.Type, steps []step, index int) error {
	size, err := btf.Sizeof(typ)
	if err != nil {
		w.fail(notAStruct, index, err.Error())
		return nil
	}
	at.typ = typ
	at.bits += 8 * uint64(size) * uint64(steps[index].index)
	at.bitfield = 0
	return w.walk(at, steps, index+1)
}

func (w *walker) intoMembers(at place, members []btf.Member, steps []step, index int) error {
	name := steps[index].member
	member, bits, ok := findMember(members, name)
	if name == "" || !ok {
		w.fail(noSuchMember, index, "no member "+name)
		return nil
	}
	at.typ = member.Type
	at.bits += bits
	at.bitfield = uint64(member.BitfieldSize)
	return w.walk(at, steps, index+1)
}

// findMember searches members and those of anonymous members.
func findMember(members []btf.Member, name string) (*btf.Member, uint64, bool) {
	for i := range members {
		m := &members[i]
		if m.Name == name {
			return m, uint64(m.Offset), true
		}
		if m.Name != "" {
			continue
		}
		var inner []btf.Member
		switch typ := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = typ.Members
		case *btf.Union:
			inner = typ.Members
		}
		if found, bits, ok := findMember(inner, name); ok {
			return found, uint64(m.Offset) + bits, true
		}
	}
	return nil, 0, false
}

// intoDeclared continues in the types that a forward declaration may mean.
func (w *walker) intoDeclared(at place, declared *btf.Fwd, steps []step, index int) error {
	keyword := "struct"
	if declared.Kind == btf.FwdUnion {
		keyword = "union"
	}
	defined, err := rootsOf(w.types, &memberPath{keyword: keyword, root: declared.Name})
	var missing *pathFault
	if errors.As(err, &missing) {
		w.fail(notAStruct, index, fmt.Sprintf("%s %s is only declared", keyword, declared.Name))
		return nil
	} else if err != nil {
		return err
	}
	for _, typ := range defined {
		// Only a pointer leads to a declared type, which is then what offsets count from.
		at.typ, at.container = typ, typ
		if err := w.walk(at, steps, index); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) fail(code pb.MemberErrorCode, step int, message string) {
	if w.fault == nil || step > w.fault.step {
		w.fault = &pathFault{code, step, message}
	}
}

func (w *walker) message(at place) (*pb.ResolvedMember, error) {
	typeID, err := w.types.spec.TypeID(at.typ)
	if err != nil {
		return nil, err
	}
	containerID, err := w.types.spec.TypeID(at.container)
	if err != nil {
		return nil, err
	}
	bits := at.bitfield
	if bits == 0 {
		size, err := btf.Sizeof(at.typ)
		if err != nil {
			return nil, err
		}
		bits = 8 * uint64(size)
	}
	return &pb.ResolvedMember{
		BitOffset:    at.bits,
		BitSize:      bits,
		Bitfield:     at.bitfield != 0,
		TypeId:       uint32(typeID),
		ContainerId:  uint32(containerID),
		Dereferences: at.dereferences,
		TypeName:     cName(at.typ, ""),
	}, nil
}

// isSame reports whether two members are the same to a program that reads memory.
func isSame(a, b *pb.ResolvedMember) bool {
	if a.BitOffset != b.BitOffset || a.BitSize != b.BitSize || a.Bitfield != b.Bitfield || a.TypeName != b.TypeName ||
		len(a.Dereferences) != len(b.Dereferences) {
		return false
	}
	for i := range a.Dereferences {
		mine, other := proto.CloneOf(a.Dereferences[i]), proto.CloneOf(b.Dereferences[i])
		mine.TypeId, mine.TargetId, other.TypeId, other.TargetId = 0, 0, 0, 0
		if !proto.Equal(mine, other) {
			return false
		}
	}
	return true
}
