package main

import (
	"regexp"
	"strconv"
)

const maxSteps = 64

// memberPath is a parsed path, such as `struct sk_buff.cb[3]`.
type memberPath struct {
	// keyword is `struct`, `union`, or empty.
	keyword string
	// root is the name of the type, or its id in decimal digits.
	root  string
	steps []step
}

// step leads into a member or, if the name is empty, to an element.
type step struct {
	member string
	index  uint32
}

var (
	rootPattern = regexp.MustCompile(`^(?:(struct|union)\s+)?([^\s.\[\]>-]+)`)
	stepPattern = regexp.MustCompile(`^(?:(?:\.|->)([^\s.\[\]>-]+)|\[(\d{1,10})\])`)
)

func parsePath(text string) (*memberPath, error) {
	bad := func(message string) error {
		return &pathFault{badPath, -1, message}
	}
	root := rootPattern.FindStringSubmatch(text)
	if root == nil {
		return nil, bad("expected the name of a type")
	}
	path := &memberPath{keyword: root[1], root: root[2]}
	for rest := text[len(root[0]):]; rest != ""; {
		found := stepPattern.FindStringSubmatch(rest)
		if found == nil {
			return nil, bad("expected .member or [index]")
		}
		if len(path.steps) == maxSteps {
			return nil, bad("more than 64 steps")
		}
		index := uint64(0)
		if found[2] != "" {
			var err error
			if index, err = strconv.ParseUint(found[2], 10, 32); err != nil {
				return nil, bad(err.Error())
			}
		}
		path.steps = append(path.steps, step{found[1], uint32(index)})
		rest = rest[len(found[0]):]
	}
	return path, nil
}
