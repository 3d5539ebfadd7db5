package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	pb "btfd/btf/v1"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
)

// maxLogInError is the part of a verifier log that an error carries.
const maxLogInError = 3 << 10

func (s *service) LoadHandle(_ context.Context, request *pb.LoadHandleRequest) (*pb.LoadHandleResponse, error) {
	source, ok := request.GetSource().(*pb.LoadHandleRequest_RawBtf)
	if !ok {
		return nil, unsupported("loading of types")
	}
	if len(source.RawBtf) > maxBTF {
		return nil, fault(codes.InvalidArgument, "BTF_TOO_LARGE", "BTF is larger than 16 MiB", nil)
	}
	kernel, err := btf.NewHandleFromRawBTF(source.RawBtf)
	if err != nil {
		return refusal(err, request.GetReportRejection())
	}
	message, err := s.handles.add(kernel, request.GetTtl())
	if err != nil {
		return nil, err
	}
	return &pb.LoadHandleResponse{Result: &pb.LoadHandleResponse_Handle{Handle: message}}, nil
}

// refusal returns what the kernel said about BTF that it does not load.
func refusal(err error, report bool) (*pb.LoadHandleResponse, error) {
	var errno unix.Errno
	if !errors.As(err, &errno) || errno == unix.EPERM {
		return nil, fault(codes.PermissionDenied, "DAEMON_LACKS_CAPABILITY", err.Error(), nil)
	}
	var verifier *ebpf.VerifierError
	text := ""
	if errors.As(err, &verifier) {
		text = strings.Join(verifier.Log, "\n")
	}
	name := unix.ErrnoName(errno)
	if report {
		rejection := &pb.Rejection{Errno: uint32(errno), ErrnoName: name, Log: &pb.VerifierLog{Text: text}}
		return &pb.LoadHandleResponse{Result: &pb.LoadHandleResponse_Rejection{Rejection: rejection}}, nil
	}
	tail := text[max(len(text)-maxLogInError, 0):]
	return nil, fault(codes.InvalidArgument, "VERIFIER_REJECTED", "the kernel refused the BTF: "+name,
		map[string]string{"errno": fmt.Sprint(uint32(errno)), "errno_name": name, "log": tail})
}

func (s *service) GetHandleById(
	_ context.Context, request *pb.GetHandleByIdRequest,
) (*pb.GetHandleByIdResponse, error) {
	if request.GetId() == 0 {
		return nil, invalid("id: must not be 0")
	}
	kernel, err := btf.NewHandleFromID(btf.ID(request.GetId()))
	if err != nil {
		return nil, openFault(request.GetId(), err)
	}
	message, err := s.handles.add(kernel, request.GetTtl())
	if err != nil {
		return nil, err
	}
	return &pb.GetHandleByIdResponse{Handle: message}, nil
}

func (s *service) GetHandleInfo(
	_ context.Context, request *pb.GetHandleInfoRequest,
) (*pb.GetHandleInfoResponse, error) {
	if len(request.GetDetails()) > 0 {
		return nil, unsupported("details of an info")
	}
	h, err := s.handles.find(request.GetToken())
	if err != nil {
		return nil, err
	}
	return &pb.GetHandleInfoResponse{Handle: s.handles.message(h, h.remaining())}, nil
}

func (s *service) RenewHandles(_ context.Context, request *pb.RenewHandlesRequest) (*pb.RenewHandlesResponse, error) {
	if len(request.GetTokens()) > maxTokens {
		return nil, invalid("tokens: at most 1000")
	}
	response := &pb.RenewHandlesResponse{}
	for _, token := range request.GetTokens() {
		result := &pb.RenewHandlesResponse_RenewResult{}
		if h, err := s.handles.renew(token); err == nil {
			result.Open, result.RemainingTtl = true, durationpb.New(h.ttl)
		}
		response.Results = append(response.Results, result)
	}
	return response, nil
}

func (s *service) CloseHandles(_ context.Context, request *pb.CloseHandlesRequest) (*pb.CloseHandlesResponse, error) {
	if len(request.GetTokens()) > maxTokens {
		return nil, invalid("tokens: at most 1000")
	}
	wasOpen := make([]bool, len(request.GetTokens()))
	for i, token := range request.GetTokens() {
		wasOpen[i] = s.handles.close(token)
	}
	return &pb.CloseHandlesResponse{WasOpen: wasOpen}, nil
}
