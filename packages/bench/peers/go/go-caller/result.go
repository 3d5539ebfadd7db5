package main

import (
	"slices"
	"syscall"
	"time"
)

// result is the output. Times are in microseconds.
type result struct {
	Calls    int   `json:"calls"`
	Errors   int   `json:"errors"`
	Messages int64 `json:"messages"`
	Bytes    int64 `json:"bytes"`
	WallUs   int64 `json:"wallUs"`
	// CPUUs is the CPU time of this program.
	CPUUs int64 `json:"cpuUs"`
	P50Us int64 `json:"p50Us"`
	P99Us int64 `json:"p99Us"`
	// FirstAnswerUs is the median over connections of the time until the first response since the start of the run.
	FirstAnswerUs     int64 `json:"firstAnswerUs"`
	LastFirstAnswerUs int64 `json:"lastFirstAnswerUs"`
}

func resultOf(lanes []*lane, t *traffic, wall time.Duration, cpu int64) *result {
	var times, firsts []time.Duration
	r := &result{Messages: t.messages.Load(), Bytes: t.bytes.Load(), WallUs: wall.Microseconds(), CPUUs: cpu}
	for _, l := range lanes {
		times = append(times, l.times...)
		r.Errors += l.errors
		if l.first > 0 {
			firsts = append(firsts, l.first)
		}
	}
	slices.Sort(times)
	slices.Sort(firsts)
	r.Calls = len(times)
	r.P50Us, r.P99Us = quantile(times, 0.5), quantile(times, 0.99)
	r.FirstAnswerUs, r.LastFirstAnswerUs = quantile(firsts, 0.5), quantile(firsts, 1)
	return r
}

// quantile returns a quantile of sorted times, in microseconds.
func quantile(sorted []time.Duration, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Microseconds()
}

// cpuUs returns the CPU time of this program.
func cpuUs() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
}
