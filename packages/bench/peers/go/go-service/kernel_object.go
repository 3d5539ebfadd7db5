package main

import (
	"fmt"
	"runtime"
	"unsafe"

	pb "btfd/btf/v1"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
)

// maxBTF is the kernel's BTF_MAX_SIZE.
const maxBTF = 16 << 20

// bpfBTFInfo is struct bpf_btf_info of linux/bpf.h.
type bpfBTFInfo struct {
	btf       unsafe.Pointer
	btfSize   uint32
	id        uint32
	name      unsafe.Pointer
	nameLen   uint32
	kernelBTF uint32
}

// getInfo makes one BPF_OBJ_GET_INFO_BY_FD. HandleInfo of cilium/ebpf needs two, and keeps the size to itself.
func getInfo(fd int, info *bpfBTFInfo) error {
	attr := struct {
		fd      uint32
		infoLen uint32
		info    unsafe.Pointer
	}{uint32(fd), uint32(unsafe.Sizeof(*info)), unsafe.Pointer(info)}
	_, _, errno := unix.Syscall(
		unix.SYS_BPF, unix.BPF_OBJ_GET_INFO_BY_FD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr),
	)
	runtime.KeepAlive(info)
	if errno != 0 {
		return fmt.Errorf("info of a BTF object: %w", errno)
	}
	return nil
}

// infoOf describes an object.
func infoOf(handle *btf.Handle) (*pb.HandleInfo, error) {
	// Longer than the name of any module, which has at most 55 bytes.
	name := make([]byte, 64)
	info := &bpfBTFInfo{name: unsafe.Pointer(&name[0]), nameLen: uint32(len(name))}
	if err := getInfo(handle.FD(), info); err != nil {
		return nil, err
	}
	message := &pb.HandleInfo{
		Id:       info.id,
		Name:     unix.ByteSliceToString(name),
		IsKernel: info.kernelBTF != 0,
		Size:     info.btfSize,
	}
	message.Origin = originOf(message.Name, message.IsKernel)
	return message, nil
}

func originOf(name string, isKernel bool) pb.Origin {
	switch {
	case !isKernel:
		return pb.Origin_ORIGIN_USER
	case name == vmlinuxName:
		return pb.Origin_ORIGIN_VMLINUX
	case name == "vmlinux.inline":
		return pb.Origin_ORIGIN_KERNEL_OTHER
	default:
		return pb.Origin_ORIGIN_MODULE
	}
}

// readRaw returns the raw BTF of an object.
func readRaw(handle *btf.Handle, size uint32) ([]byte, error) {
	raw := make([]byte, size)
	info := &bpfBTFInfo{btf: unsafe.Pointer(unsafe.SliceData(raw)), btfSize: size}
	if err := getInfo(handle.FD(), info); err != nil {
		return nil, err
	}
	return raw, nil
}
