// relocate prints how cilium/ebpf resolves the CO-RE relocations of objects: relocate KERNEL OBJECT…
//
// For each object it prints a form feed, and then a line for each relocation of each program:
// PROGRAM FUNCTION INSTRUCTION RESULT. An object that cannot be read gives "error: …".
package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"sort"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
)

var localID = regexp.MustCompile(`local_id=(\d+)`)

type place struct {
	function    string
	instruction asm.RawInstructionOffset
	ins         *asm.Instruction
	relo        *btf.CORERelocation
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	kernel, err := btf.LoadSpec(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, path := range os.Args[2:] {
		fmt.Fprint(out, "\f")
		if err := relocate(out, kernel, path); err != nil {
			fmt.Fprintf(out, "error: %v\n", err)
		}
	}
}

func relocate(out *bufio.Writer, kernel *btf.Spec, path string) error {
	object, err := ebpf.LoadCollectionSpec(path)
	if err != nil {
		return err
	}
	names := make([]string, 0, len(object.Programs))
	for name := range object.Programs {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		program := object.Programs[name]
		for _, group := range groups(program.Instructions) {
			printGroup(out, kernel, object, name, program.ByteOrder, group)
		}
	}
	return nil
}

// groups returns the relocations of a program by their local type, in the order of the instructions. Those that have no
// target are each a group of their own.
func groups(insns asm.Instructions) [][]place {
	byType := make(map[string]int)
	var result [][]place
	function, start := "", asm.RawInstructionOffset(0)
	iter := insns.Iterate()
	for iter.Next() {
		if symbol := iter.Ins.Symbol(); symbol != "" {
			function, start = symbol, iter.Offset
		}
		relo := btf.CORERelocationMetadata(iter.Ins)
		if relo == nil {
			continue
		}
		ins := *iter.Ins
		at := place{function, iter.Offset - start, &ins, relo}
		id := localID.FindStringSubmatch(relo.String())[1]
		if strings.HasPrefix(relo.String(), "CORERelocation(local_type_id,") {
			id = fmt.Sprint("none ", len(result))
		}
		index, known := byType[id]
		if !known {
			index = len(result)
			byType[id] = index
			result = append(result, nil)
		}
		result[index] = append(result[index], at)
	}
	return result
}

func printGroup(out *bufio.Writer, kernel *btf.Spec, object *ebpf.CollectionSpec, program string, order binary.ByteOrder, group []place) {
	relos := make([]*btf.CORERelocation, len(group))
	for i, at := range group {
		relos[i] = at.relo
	}
	fixups, err := btf.CORERelocate(relos, []*btf.Spec{kernel}, order, object.Types.TypeID)
	for i, at := range group {
		fmt.Fprintf(out, "%s %s %d ", program, at.function, at.instruction)
		if err != nil {
			fmt.Fprintf(out, "error: %v\n", err)
			continue
		}
		if applyErr := fixups[i].Apply(at.ins); applyErr != nil {
			fmt.Fprintf(out, "%s refused: %v\n", &fixups[i], applyErr)
			continue
		}
		fmt.Fprintf(out, "%s constant %d offset %d\n", &fixups[i], uint64(at.ins.Constant), at.ins.Offset)
	}
}
