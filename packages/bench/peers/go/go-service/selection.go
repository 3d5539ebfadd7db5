package main

import (
	"errors"
	"slices"

	"btfd/btfv1"

	"github.com/cilium/ebpf/btf"
)

// selectTypes returns the ids that a selection means, in order, and what it did not find.
func selectTypes(o *object, selection *btfv1.TypeSelection, closure bool) ([]btf.TypeID, *btfv1.SelectionResult, error) {
	t, err := o.types()
	if err != nil {
		return nil, nil, err
	}
	result := &btfv1.SelectionResult{}
	selected := make(map[btf.Type]btf.TypeID)
	add := func(id btf.TypeID, typ btf.Type) {
		if kinds := selection.GetKinds(); len(kinds) == 0 || slices.Contains(kinds, kindOf(typ)) {
			selected[typ] = id
		}
	}
	if err := addByName(t, selection, result, add); err != nil {
		return nil, nil, err
	}
	for _, id := range selection.GetIds() {
		typ, err := t.spec.TypeByID(btf.TypeID(id))
		if err != nil || btf.TypeID(id) < t.first {
			result.IdsNotFound = append(result.IdsNotFound, id)
			continue
		}
		add(btf.TypeID(id), typ)
	}
	if len(selection.GetNames())+len(selection.GetIds()) == 0 || len(selection.GetNameGlobs()) > 0 {
		if err := addByScan(t, selection, result, add); err != nil {
			return nil, nil, err
		}
	}
	if closure {
		if err := addReferences(t.spec, selected); err != nil {
			return nil, nil, undecodable(err)
		}
	}
	ids := make([]btf.TypeID, 0, len(selected))
	for _, id := range selected {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	result.TypeCount = uint32(len(ids))
	return ids, result, nil
}

// addByName finds types in the index of the Spec.
func addByName(t *types, selection *btfv1.TypeSelection, result *btfv1.SelectionResult, add func(btf.TypeID, btf.Type)) error {
	for _, name := range selection.GetNames() {
		found, err := t.spec.AnyTypesByName(name)
		if errors.Is(err, btf.ErrNotFound) || err == nil && len(found) == 0 {
			result.NamesNotFound = append(result.NamesNotFound, name)
			continue
		} else if err != nil {
			return undecodable(err)
		}
		for _, typ := range found {
			id, err := t.spec.TypeID(typ)
			if err != nil {
				return undecodable(err)
			}
			add(id, typ)
		}
	}
	return nil
}

// addByScan goes through all types, for globs, or for kinds alone.
func addByScan(t *types, selection *btfv1.TypeSelection, result *btfv1.SelectionResult, add func(btf.TypeID, btf.Type)) error {
	globs := selection.GetNameGlobs()
	matched := make([]bool, len(globs))
	for id := t.first; id <= t.last; id++ {
		typ, err := t.spec.TypeByID(id)
		if err != nil {
			return undecodable(err)
		}
		if len(globs) == 0 {
			add(id, typ)
			continue
		}
		for i, glob := range globs {
			matches, err := matchesAny([]string{glob}, typ.TypeName())
			if err != nil {
				return err
			}
			if matches && typ.TypeName() != "" {
				matched[i] = true
				add(id, typ)
			}
		}
	}
	for i, glob := range globs {
		if !matched[i] {
			result.GlobsNotMatched = append(result.GlobsNotMatched, glob)
		}
	}
	return nil
}

// addReferences adds everything that the selected types refer to.
func addReferences(spec *btf.Spec, selected map[btf.Type]btf.TypeID) error {
	pending := make([]btf.Type, 0, len(selected))
	for typ := range selected {
		pending = append(pending, typ)
	}
	for len(pending) > 0 {
		typ := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for child := range references(typ) {
			if _, isVoid := child.(*btf.Void); isVoid {
				continue
			}
			if _, known := selected[child]; known {
				continue
			}
			id, err := spec.TypeID(child)
			if err != nil {
				return err
			}
			selected[child] = id
			pending = append(pending, child)
		}
	}
	return nil
}
