// Command cilium-driver repeats a row of cilium/ebpf in one process, and prints one line of JSON:
//
//	cilium-driver ROW FILE COUNT
//
// FILE is raw BTF. The output is {"cpuUs":[…],"wallUs":[…],"result":"…"}, with one number for each repetition. An
// unknown row ends with exit status 3.
//
//go:debug default=go1.27
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

type output struct {
	CPUUs  []float64 `json:"cpuUs"`
	WallUs []float64 `json:"wallUs"`
	Result string    `json:"result"`
}

func main() {
	if len(os.Args) != 4 {
		fail(2, fmt.Errorf("usage: cilium-driver ROW FILE COUNT"))
	}
	name, file := os.Args[1], os.Args[2]
	count, err := strconv.Atoi(os.Args[3])
	if err != nil || count < 1 {
		fail(2, fmt.Errorf("invalid count %q: use 1 or more", os.Args[3]))
	}
	row, ok := rows[name]
	if !ok {
		fail(3, fmt.Errorf("unknown row %s: use one of %v", name, rowNames()))
	}
	out, err := repeat(row, file, count)
	if err != nil {
		fail(1, fmt.Errorf("%s: %w", name, err))
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		fail(1, err)
	}
}

func repeat(r row, file string, count int) (*output, error) {
	work, result, err := r.prepare(file)
	if err != nil {
		return nil, err
	}
	out := &output{CPUUs: make([]float64, count), WallUs: make([]float64, count)}
	for i := range count {
		if r.makesGarbage {
			// The garbage of the last repetition does not count for this one. The collector stays enabled: its
			// work within a repetition counts, as it does for Node.
			runtime.GC()
		}
		cpu, wall := cpuUs(), time.Now()
		if err := work(); err != nil {
			return nil, err
		}
		out.WallUs[i] = float64(time.Since(wall).Nanoseconds()) / 1e3
		out.CPUUs[i] = cpuUs() - cpu
	}
	value, err := result()
	out.Result = strconv.Itoa(value)
	return out, err
}

// cpuUs returns the CPU time of all threads of the process.
func cpuUs() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(1, err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}

func fail(status int, err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(status)
}
