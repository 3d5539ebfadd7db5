package main

import (
	"context"
	"errors"

	"btfd/btfv1"
)

const (
	maxPaths      = 1000
	maxPathLength = 1024
)

func (s *service) ResolveMembers(_ context.Context, request *btfv1.ResolveMembersRequest) (*btfv1.ResolveMembersResponse, error) {
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
	results := make([]*btfv1.MemberResult, len(request.GetPaths()))
	for i, path := range request.GetPaths() {
		if len(path) > maxPathLength {
			return nil, invalid("paths: at most 1024 characters each")
		}
		member, err := resolve(t, path)
		var fault *pathFault
		switch {
		case errors.As(err, &fault):
			message := &btfv1.MemberError{Message: path + ": " + fault.message, Code: fault.code, Step: int32(fault.step)}
			results[i] = &btfv1.MemberResult{Result: &btfv1.MemberResult_Error{Error: message}}
		case err != nil:
			return nil, undecodable(err)
		default:
			results[i] = &btfv1.MemberResult{Result: &btfv1.MemberResult_Member{Member: member}}
		}
	}
	return &btfv1.ResolveMembersResponse{Results: results, Digest: o.digest}, nil
}

// pathFault is the reason why a path leads nowhere, or to different places.
type pathFault struct {
	code    btfv1.MemberErrorCode
	step    int
	message string
}

func (f *pathFault) Error() string { return f.message }
