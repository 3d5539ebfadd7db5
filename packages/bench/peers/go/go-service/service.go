package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"time"

	pb "btfd/btf/v1"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	minTTL     = time.Second
	maxTTL     = time.Hour
	defaultTTL = time.Minute
	// maxTokens is the number of tokens in one request.
	maxTokens = 1000
)

// service implements the contract.
type service struct {
	pb.UnimplementedBtfServiceServer
	objects *objectSource
	handles *handleTable
	info    *pb.GetServerInfoResponse
}

func newService() (*service, error) {
	epoch := rand.Text()
	info, err := serverInfo(epoch)
	if err != nil {
		return nil, err
	}
	return &service{objects: newObjectSource(), handles: newHandleTable(epoch), info: info}, nil
}

// GetServerInfo returns the same message to every caller: there are no roles.
func (s *service) GetServerInfo(context.Context, *pb.GetServerInfoRequest) (*pb.GetServerInfoResponse, error) {
	return s.info, nil
}

func serverInfo(epoch string) (*pb.GetServerInfoResponse, error) {
	bootID, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return nil, err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, fmt.Errorf("uname: %w", err)
	}
	var operations []*pb.OperationStatus
	for operation := pb.Operation_OPERATION_LOAD; operation <= pb.Operation_OPERATION_HOLD_KERNEL; operation++ {
		operations = append(operations, &pb.OperationStatus{Operation: operation, Available: true})
	}
	return &pb.GetServerInfoResponse{
		Version:       "go",
		BootId:        strings.TrimSpace(string(bootID)),
		DaemonEpoch:   epoch,
		KernelRelease: unix.ByteSliceToString(name.Release[:]),
		Machine:       unix.ByteSliceToString(name.Machine[:]),
		Mode:          pb.Mode_MODE_FULL,
		BtfDir:        btfDir,
		Operations:    operations,
		Capabilities:  &pb.Capabilities{SysAdmin: true, Bpf: true},
		Limits: &pb.Limits{
			MaxLoadMessageBytes: maxMessage,
			MaxMessageBytes:     maxMessage,
			MaxBtfBytes:         maxBTF,
			MinTtl:              durationpb.New(minTTL),
			MaxTtl:              durationpb.New(maxTTL),
			DefaultTtl:          durationpb.New(defaultTTL),
			MaxTokens:           maxTokens,
		},
		Caller: &pb.Caller{Principal: "uid:0", Role: pb.Role_ROLE_LOADER},
	}, nil
}
