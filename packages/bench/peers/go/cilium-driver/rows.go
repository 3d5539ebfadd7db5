package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cilium/ebpf/btf"
)

// lookups is the number of random lookups in a repetition of `names`.
const lookups = 100_000

type row struct {
	// prepare returns a repetition, and a function that returns its result outside of the measured time.
	prepare func(file string) (work func() error, result func() (int, error), err error)
	// makesGarbage is whether a repetition leaves so much garbage that the next one would pay for it.
	makesGarbage bool
}

var rows = map[string]row{
	"index":      {prepareIndex, true},
	"first-name": {prepareFirstName, true},
	"names":      {prepareNames, true},
	"rebuild":    {prepareRebuild, true},
	"load-close": {prepareLoadClose, false},
}

func rowNames() []string {
	return slices.Sorted(maps.Keys(rows))
}

func prepareIndex(file string) (func() error, func() (int, error), error) {
	raw, err := os.ReadFile(file)
	var spec *btf.Spec
	work := func() (err error) {
		spec, err = btf.LoadSpecFromReader(bytes.NewReader(raw))
		return err
	}
	return work, func() (int, error) { return countTypes(spec) }, err
}

// countTypes finds the last id, because a Spec does not say how many types it has.
func countTypes(spec *btf.Spec) (int, error) {
	has := func(id int) (bool, error) {
		_, err := spec.TypeByID(btf.TypeID(id))
		if errors.Is(err, btf.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	}
	last, beyond := 0, 1<<24
	for beyond-last > 1 {
		middle := (last + beyond) / 2
		found, err := has(middle)
		if err != nil {
			return 0, err
		}
		if found {
			last = middle
		} else {
			beyond = middle
		}
	}
	return last, nil
}

func prepareFirstName(file string) (func() error, func() (int, error), error) {
	var id btf.TypeID
	work := func() error {
		spec, err := btf.LoadSpec(file)
		if err != nil {
			return err
		}
		var found *btf.Struct
		if err := spec.TypeByName("task_struct", &found); err != nil {
			return err
		}
		id, err = spec.TypeID(found)
		return err
	}
	return work, func() (int, error) { return int(id), nil }, nil
}

func prepareNames(file string) (func() error, func() (int, error), error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
	if err != nil {
		return nil, nil, err
	}
	names, err := readNames(raw)
	if err != nil {
		return nil, nil, err
	}
	var found int
	work := func() error {
		found = 0
		x := uint32(0)
		for range lookups {
			x = (x*1103515245 + 12345) & 0x7fffffff
			types, err := spec.AnyTypesByName(names[int(x)%len(names)])
			if err != nil && !errors.Is(err, btf.ErrNotFound) {
				return err
			}
			found += len(types)
		}
		return nil
	}
	return work, func() (int, error) { return found, nil }, nil
}

// prepareRebuild includes the decoding of types in the first repetition. A Spec keeps them for the others.
func prepareRebuild(file string) (func() error, func() (int, error), error) {
	spec, err := btf.LoadSpec(file)
	var length int
	work := func() error {
		var types []btf.Type
		for typ, err := range spec.All() {
			if err != nil {
				return err
			}
			types = append(types, typ)
		}
		builder, err := btf.NewBuilder(types, nil)
		if err != nil {
			return err
		}
		raw, err := builder.Marshal(nil, nil)
		length = len(raw)
		return err
	}
	return work, func() (int, error) { return length, nil }, err
}

func prepareLoadClose(file string) (func() error, func() (int, error), error) {
	raw, err := os.ReadFile(file)
	loads := 0
	work := func() error {
		handle, err := btf.NewHandleFromRawBTF(raw)
		if err != nil {
			return fmt.Errorf("load: %w", err)
		}
		loads++
		return handle.Close()
	}
	return work, func() (int, error) { return loads, nil }, err
}
