package main

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fault returns an error of the contract, with its reason and metadata as details.
func fault(code codes.Code, reason, message string, metadata map[string]string) error {
	st := status.New(code, message)
	detailed, err := st.WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "btf.v1", Metadata: metadata})
	if err != nil {
		return st.Err()
	}
	return detailed.Err()
}

func invalid(message string) error {
	return fault(codes.InvalidArgument, "INVALID_REQUEST", message, nil)
}

func unsupported(what string) error {
	return status.Errorf(codes.Unimplemented, "this service does not have %s", what)
}

func handleNotFound() error {
	return fault(codes.NotFound, "HANDLE_NOT_FOUND", "no such handle", nil)
}

// openFault returns the error for an object that cannot be opened by its id.
func openFault(id uint32, err error) error {
	text := strconv.FormatUint(uint64(id), 10)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fault(codes.NotFound, "BTF_ID_NOT_FOUND", "no BTF object has the id "+text, map[string]string{"id": text})
	case errors.Is(err, unix.EPERM):
		return fault(codes.PermissionDenied, "DAEMON_LACKS_CAPABILITY", "opening by id needs CAP_SYS_ADMIN",
			map[string]string{"command": "BPF_BTF_GET_FD_BY_ID", "errno_name": "EPERM"})
	default:
		return internal(err)
	}
}

func undecodable(err error) error {
	return fault(codes.DataLoss, "BTF_UNDECODABLE", err.Error(), nil)
}

func internal(err error) error {
	return fault(codes.Internal, "INTERNAL", err.Error(), nil)
}
