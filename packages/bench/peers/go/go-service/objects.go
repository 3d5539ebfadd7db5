package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"

	pb "btfd/btf/v1"

	"github.com/cilium/ebpf/btf"
	"google.golang.org/grpc/codes"
)

const (
	btfDir      = "/sys/kernel/btf"
	vmlinuxName = "vmlinux"
)

// object is the BTF of an object of the kernel. It is safe for concurrent use.
type object struct {
	info   *pb.HandleInfo
	raw    []byte
	digest []byte
	// base is that of a split BTF, otherwise nil.
	base *object
	// types parses the BTF once.
	types func() (*types, error)
}

// types are the types of an object. A Spec says neither its first nor its last id.
type types struct {
	spec        *btf.Spec
	first, last btf.TypeID
}

func newObject(info *pb.HandleInfo, raw []byte, base *object, parse func() (*btf.Spec, error)) *object {
	digest := sha256.Sum256(raw)
	o := &object{info: info, raw: raw, digest: digest[:], base: base}
	o.types = sync.OnceValues(func() (*types, error) {
		spec, err := parse()
		if err != nil {
			return nil, undecodable(err)
		}
		first := btf.TypeID(1)
		if base != nil {
			baseTypes, err := base.types()
			if err != nil {
				return nil, err
			}
			first = baseTypes.last + 1
		}
		last, err := lastID(spec, first)
		return &types{spec, first, last}, err
	})
	return o
}

// lastID finds the last id. Types have at least 12 bytes, so there are fewer than BTF_MAX_SIZE of them.
func lastID(spec *btf.Spec, first btf.TypeID) (btf.TypeID, error) {
	last, beyond := first-1, first+maxBTF
	for beyond-last > 1 {
		middle := last + (beyond-last)/2
		_, err := spec.TypeByID(middle)
		switch {
		case err == nil:
			last = middle
		case errors.Is(err, btf.ErrNotFound):
			beyond = middle
		default:
			return 0, undecodable(err)
		}
	}
	return last, nil
}

// objectSource opens the objects of the kernel. It keeps the kernel's own BTF, which never changes.
type objectSource struct {
	vmlinux func() (*object, error)
}

func newObjectSource() *objectSource {
	return &objectSource{vmlinux: sync.OnceValues(openVmlinux)}
}

func openVmlinux() (*object, error) {
	raw, err := os.ReadFile(filepath.Join(btfDir, vmlinuxName))
	if err != nil {
		return nil, fault(codes.FailedPrecondition, "KERNEL_WITHOUT_BTF", err.Error(), nil)
	}
	return newObject(infoByName(vmlinuxName, len(raw)), raw, nil, btf.LoadKernelSpec), nil
}

// infoByName describes an object of the kernel. Its id is 0 if it cannot be found.
func infoByName(name string, size int) *pb.HandleInfo {
	kernel, err := btf.FindHandle(func(info *btf.HandleInfo) bool { return info.IsKernel && info.Name == name })
	if err == nil {
		defer kernel.Close()
		if info, err := infoOf(kernel); err == nil {
			return info
		}
	}
	return &pb.HandleInfo{Name: name, Origin: originOf(name, true), IsKernel: true, Size: uint32(size)}
}

// byName opens an object of the kernel. A module is parsed each time, because another can have taken its name.
func (s *objectSource) byName(name string) (*object, error) {
	if name == vmlinuxName {
		return s.vmlinux()
	}
	notFound := fault(codes.NotFound, "NAME_NOT_FOUND", "the kernel has no object "+name, map[string]string{"name": name})
	if name == "" || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
		return nil, notFound
	}
	raw, err := os.ReadFile(filepath.Join(btfDir, name))
	if errors.Is(err, os.ErrNotExist) {
		return nil, notFound
	} else if err != nil {
		return nil, internal(err)
	}
	return s.parsed(infoByName(name, len(raw)), raw)
}

// byID opens the object with an id.
func (s *objectSource) byID(id uint32) (*object, error) {
	kernel, err := btf.NewHandleFromID(btf.ID(id))
	if err != nil {
		return nil, openFault(id, err)
	}
	defer kernel.Close()
	return s.fromKernel(kernel)
}

func (s *objectSource) fromKernel(kernel *btf.Handle) (*object, error) {
	info, err := infoOf(kernel)
	if err != nil {
		return nil, internal(err)
	}
	if info.GetOrigin() == pb.Origin_ORIGIN_VMLINUX {
		return s.vmlinux()
	}
	raw, err := readRaw(kernel, info.GetSize())
	if err != nil {
		return nil, internal(err)
	}
	return s.parsed(info, raw)
}

// parsed returns an object whose types are parsed when they are first used. Those of a module continue vmlinux.
func (s *objectSource) parsed(info *pb.HandleInfo, raw []byte) (*object, error) {
	if info.GetOrigin() == pb.Origin_ORIGIN_USER {
		parse := func() (*btf.Spec, error) { return btf.LoadSpecFromReader(bytes.NewReader(raw)) }
		return newObject(info, raw, nil, parse), nil
	}
	base, err := s.vmlinux()
	if err != nil {
		return nil, err
	}
	return newObject(info, raw, base, func() (*btf.Spec, error) {
		baseTypes, err := base.types()
		if err != nil {
			return nil, err
		}
		return btf.LoadSplitSpecFromReader(bytes.NewReader(raw), baseTypes.spec)
	}), nil
}

// byHandle opens the object of a handle, and renews its lease.
func (s *service) byHandle(token string) (*object, error) {
	h, err := s.handles.renew(token)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.object == nil {
		if h.object, err = s.objects.fromKernel(h.kernel); err != nil {
			return nil, err
		}
	}
	return h.object, nil
}
