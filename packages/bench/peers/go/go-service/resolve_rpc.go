package main

import (
	"context"
	"errors"

	pb "btfd/btf/v1"
)

const (
	maxPaths      = 1000
	maxPathLength = 1024
)

func (s *service) ResolveMembers(
	_ context.Context, request *pb.ResolveMembersRequest,
) (*pb.ResolveMembersResponse, error) {
	if request.GetBase() != nil {
		return nil, unsupported("a base that the request names")
	}
	if len(request.GetPaths()) > maxPaths {
		return nil, invalid("paths: at most 1000")
	}
	o, err := s.open(request)
	if err != nil {
		return nil, err
	}
	t, err := o.types()
	if err != nil {
		return nil, err
	}
	results := make([]*pb.MemberResult, len(request.GetPaths()))
	for i, path := range request.GetPaths() {
		if len(path) > maxPathLength {
			return nil, invalid("paths: at most 1024 characters each")
		}
		member, err := resolve(t, path)
		var fault *pathFault
		switch {
		case errors.As(err, &fault):
			message := &pb.MemberError{Message: path + ": " + fault.message, Code: fault.code, Step: int32(fault.step)}
			results[i] = &pb.MemberResult{Result: &pb.MemberResult_Error{Error: message}}
		case err != nil:
			return nil, undecodable(err)
		default:
			results[i] = &pb.MemberResult{Result: &pb.MemberResult_Member{Member: member}}
		}
	}
	return &pb.ResolveMembersResponse{Results: results, Digest: o.digest}, nil
}

// Reasons why a path leads nowhere, or to different places.
const (
	noSuchType   = pb.MemberErrorCode_MEMBER_ERROR_CODE_NO_SUCH_TYPE
	noSuchMember = pb.MemberErrorCode_MEMBER_ERROR_CODE_NO_SUCH_MEMBER
	notAStruct   = pb.MemberErrorCode_MEMBER_ERROR_CODE_NOT_A_STRUCT
	ambiguous    = pb.MemberErrorCode_MEMBER_ERROR_CODE_AMBIGUOUS
	badPath      = pb.MemberErrorCode_MEMBER_ERROR_CODE_BAD_PATH
)

// pathFault is the reason why a path leads nowhere, or to different places.
type pathFault struct {
	code    pb.MemberErrorCode
	step    int
	message string
}

func (f *pathFault) Error() string { return f.message }
