package main

import (
	"crypto/rand"
	"sync"
	"time"

	pb "btfd/btf/v1"

	"github.com/cilium/ebpf/btf"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

// handle is an object that a lease keeps open.
type handle struct {
	token string
	info  *pb.HandleInfo
	ttl   time.Duration

	mu      sync.Mutex
	kernel  *btf.Handle
	expires time.Time
	timer   *time.Timer
	object  *object
}

// handleTable has the open handles by token.
type handleTable struct {
	epoch string
	mu    sync.RWMutex
	open  map[string]*handle
}

func newHandleTable(epoch string) *handleTable {
	return &handleTable{epoch: epoch, open: make(map[string]*handle)}
}

// add takes over an object and returns the message for its new handle.
func (t *handleTable) add(kernel *btf.Handle, requested *durationpb.Duration) (*pb.Handle, error) {
	info, err := infoOf(kernel)
	if err != nil {
		kernel.Close()
		return nil, internal(err)
	}
	h := &handle{token: rand.Text(), info: info, ttl: grantedTTL(requested), kernel: kernel}
	h.expires = time.Now().Add(h.ttl)
	h.timer = time.AfterFunc(h.ttl, func() { t.close(h.token) })
	t.mu.Lock()
	t.open[h.token] = h
	t.mu.Unlock()
	return t.message(h, h.ttl), nil
}

func grantedTTL(requested *durationpb.Duration) time.Duration {
	if requested == nil {
		return defaultTTL
	}
	return min(max(requested.AsDuration(), minTTL), maxTTL)
}

// message describes a handle. The response may outlive the lease, so it has its own info.
func (t *handleTable) message(h *handle, remaining time.Duration) *pb.Handle {
	return &pb.Handle{
		Token:        h.token,
		Info:         proto.CloneOf(h.info),
		GrantedTtl:   durationpb.New(h.ttl),
		RemainingTtl: durationpb.New(remaining),
		DaemonEpoch:  t.epoch,
	}
}

// close reports whether a handle was open.
func (t *handleTable) close(token string) bool {
	t.mu.Lock()
	h, ok := t.open[token]
	delete(t.open, token)
	t.mu.Unlock()
	if !ok {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.timer.Stop()
	h.kernel.Close()
	return true
}

// find returns an open handle.
func (t *handleTable) find(token string) (*handle, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	h, ok := t.open[token]
	if !ok {
		return nil, handleNotFound()
	}
	return h, nil
}

// renew resets the lease of a handle.
func (t *handleTable) renew(token string) (*handle, error) {
	h, err := t.find(token)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	// A timer that has fired is about to close the handle.
	if !h.timer.Stop() {
		return nil, handleNotFound()
	}
	h.timer.Reset(h.ttl)
	h.expires = time.Now().Add(h.ttl)
	return h, nil
}

// remaining returns what is left of the lease.
func (h *handle) remaining() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(time.Until(h.expires), 0)
}
