package main

import (
	"errors"
	"maps"
	"slices"

	pb "btfd/btf/v1"

	"github.com/cilium/ebpf/btf"
)

// selection gathers the types that a request selects.
type selection struct {
	*types
	request  *pb.TypeSelection
	result   *pb.SelectionResult
	selected map[btf.Type]btf.TypeID
}

// selectTypes returns the ids that a request selects, in order, and what it did not find.
func selectTypes(o *object, request *pb.TypeSelection, closure bool) ([]btf.TypeID, *pb.SelectionResult, error) {
	t, err := o.types()
	if err != nil {
		return nil, nil, err
	}
	s := &selection{t, request, &pb.SelectionResult{}, make(map[btf.Type]btf.TypeID)}
	if err := s.addByName(); err != nil {
		return nil, nil, err
	}
	s.addByID()
	if len(request.GetNames())+len(request.GetIds()) == 0 || len(request.GetNameGlobs()) > 0 {
		if err := s.addByScan(); err != nil {
			return nil, nil, err
		}
	}
	if closure {
		if err := s.addReferences(); err != nil {
			return nil, nil, undecodable(err)
		}
	}
	ids := slices.Sorted(maps.Values(s.selected))
	s.result.TypeCount = uint32(len(ids))
	return ids, s.result, nil
}

// add selects a type unless the request leaves out its kind.
func (s *selection) add(id btf.TypeID, typ btf.Type) {
	if kinds := s.request.GetKinds(); len(kinds) == 0 || slices.Contains(kinds, kindOf(typ)) {
		s.selected[typ] = id
	}
}

// addByName finds types in the index of the Spec.
func (s *selection) addByName() error {
	for _, name := range s.request.GetNames() {
		found, err := s.spec.AnyTypesByName(name)
		if errors.Is(err, btf.ErrNotFound) || err == nil && len(found) == 0 {
			s.result.NamesNotFound = append(s.result.NamesNotFound, name)
			continue
		} else if err != nil {
			return undecodable(err)
		}
		for _, typ := range found {
			id, err := s.spec.TypeID(typ)
			if err != nil {
				return undecodable(err)
			}
			s.add(id, typ)
		}
	}
	return nil
}

func (s *selection) addByID() {
	for _, id := range s.request.GetIds() {
		typ, err := s.spec.TypeByID(btf.TypeID(id))
		if err != nil || btf.TypeID(id) < s.first {
			s.result.IdsNotFound = append(s.result.IdsNotFound, id)
			continue
		}
		s.add(btf.TypeID(id), typ)
	}
}

// addByScan goes through all types, for globs, or for kinds alone.
func (s *selection) addByScan() error {
	globs := s.request.GetNameGlobs()
	matched := make([]bool, len(globs))
	for id := s.first; id <= s.last; id++ {
		typ, err := s.spec.TypeByID(id)
		if err != nil {
			return undecodable(err)
		}
		if len(globs) == 0 {
			s.add(id, typ)
			continue
		}
		for i, glob := range globs {
			matches, err := matchesAny([]string{glob}, typ.TypeName())
			if err != nil {
				return err
			}
			if matches && typ.TypeName() != "" {
				matched[i] = true
				s.add(id, typ)
			}
		}
	}
	for i, glob := range globs {
		if !matched[i] {
			s.result.GlobsNotMatched = append(s.result.GlobsNotMatched, glob)
		}
	}
	return nil
}

// addReferences adds everything that the selected types refer to.
func (s *selection) addReferences() error {
	pending := slices.Collect(maps.Keys(s.selected))
	for len(pending) > 0 {
		typ := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for child := range references(typ) {
			if _, isVoid := child.(*btf.Void); isVoid {
				continue
			}
			if _, known := s.selected[child]; known {
				continue
			}
			id, err := s.spec.TypeID(child)
			if err != nil {
				return err
			}
			s.selected[child] = id
			pending = append(pending, child)
		}
	}
	return nil
}
