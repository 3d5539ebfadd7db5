package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
)

// traffic is what arrived on all connections.
type traffic struct {
	messages, bytes atomic.Int64
}

func (t *traffic) add(messages, bytes int) {
	t.messages.Add(int64(messages))
	t.bytes.Add(int64(bytes))
}

// lane has the calls of a connection.
type lane struct {
	*connection
	// left is the number of calls that are still to be made. Lanes share it, except those of `connect`.
	left *atomic.Int64
	mu   sync.Mutex
	// times are those of calls, and first is the time of the first response since the start of the run.
	times  []time.Duration
	first  time.Duration
	errors int
}

func run(o *options) (*result, error) {
	work, err := workOf(o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	var arrived traffic
	lanes, err := makeLanes(ctx, o, &arrived)
	if err != nil {
		return nil, err
	}
	cpu, started := cpuUs(), time.Now()
	var wait sync.WaitGroup
	for _, l := range lanes {
		for range callersOf(o, len(lanes)) {
			wait.Go(func() {
				if err := l.repeat(ctx, work, started); err != nil {
					cancel(err)
				}
			})
		}
	}
	wait.Wait()
	wall := time.Since(started)
	cpu = cpuUs() - cpu
	for _, l := range lanes {
		l.Close()
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return resultOf(lanes, &arrived, wall, cpu), nil
}

// makeLanes makes the connections. All are ready when the run starts, except those of `connect`.
func makeLanes(ctx context.Context, o *options, t *traffic) ([]*lane, error) {
	connectFirst := o.scenario != "connect" && o.scenario != "task"
	shared := new(atomic.Int64)
	shared.Store(int64(o.requests))
	lanes := make([]*lane, o.connections)
	for i := range lanes {
		c, err := dial(o, t)
		if err != nil {
			return nil, err
		}
		lanes[i] = &lane{connection: c, left: shared}
		if o.scenario == "connect" {
			lanes[i].left = new(atomic.Int64)
			lanes[i].left.Store(int64(o.requests))
		}
	}
	for _, l := range lanes {
		if connectFirst {
			l.waitUntilReady(ctx)
		}
	}
	return lanes, nil
}

// waitUntilReady connects. If that fails, the first call says why.
func (l *lane) waitUntilReady(ctx context.Context) {
	l.Connect()
	for {
		state := l.GetState()
		if state == connectivity.Ready || state == connectivity.TransientFailure {
			return
		}
		l.WaitForStateChange(ctx, state)
	}
}

// callersOf returns how many calls a lane makes at once. Those of a run are spread over its lanes.
func callersOf(o *options, lanes int) int {
	if o.scenario == "connect" {
		return o.inFlight
	}
	return max(o.inFlight/lanes, 1)
}

// repeat makes calls until none is left.
func (l *lane) repeat(ctx context.Context, work work, started time.Time) error {
	var times []time.Duration
	errors := 0
	for l.left.Add(-1) >= 0 {
		before := time.Now()
		if err := work(ctx, l.connection); err != nil {
			if status.Code(err) != l.options.allowed {
				return err
			}
			errors++
		}
		now := time.Now()
		if len(times) == 0 {
			l.noteFirst(now.Sub(started))
		}
		times = append(times, now.Sub(before))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times = append(l.times, times...)
	l.errors += errors
	return nil
}

func (l *lane) noteFirst(after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == 0 || after < l.first {
		l.first = after
	}
}
