package main

import (
	"path"
	"slices"

	pb "btfd/btf/v1"

	"github.com/cilium/ebpf/btf"
	"google.golang.org/grpc"
)

func (s *service) IterateHandles(
	request *pb.IterateHandlesRequest, stream grpc.ServerStreamingServer[pb.IterateHandlesResponse],
) error {
	if request.GetHold() || len(request.GetDetails()) > 0 {
		return unsupported("hold, or details of an info")
	}
	iterator := &btf.HandleIterator{ID: btf.ID(request.GetAfterId())}
	defer func() { iterator.Handle.Close() }()
	for iterator.Next() {
		info, err := infoOf(iterator.Handle)
		if err != nil {
			return internal(err)
		}
		wanted, err := isWanted(info, request)
		if err != nil {
			return err
		}
		if !wanted {
			continue
		}
		if err := stream.Send(&pb.IterateHandlesResponse{Info: info}); err != nil {
			return err
		}
	}
	if err := iterator.Err(); err != nil {
		return internal(err)
	}
	return nil
}

func isWanted(info *pb.HandleInfo, request *pb.IterateHandlesRequest) (bool, error) {
	if origins := request.GetOrigins(); len(origins) > 0 && !slices.Contains(origins, info.GetOrigin()) {
		return false, nil
	}
	if len(request.GetNameGlobs()) == 0 {
		return true, nil
	}
	return matchesAny(request.GetNameGlobs(), info.GetName())
}

// matchesAny reports whether a name matches one of some globs.
func matchesAny(globs []string, name string) (bool, error) {
	for _, glob := range globs {
		matches, err := path.Match(glob, name)
		if err != nil {
			return false, invalid("glob " + glob + ": " + err.Error())
		}
		if matches {
			return true, nil
		}
	}
	return false, nil
}
