package main

import (
	"context"
	"fmt"

	pb "btfd/btf/v1"

	"google.golang.org/protobuf/proto"
)

// taskPaths are members that programs which trace processes read: plain ones, behind pointers, and in structs within
// structs.
var taskPaths = []string{
	"task_struct.pid",
	"task_struct.tgid",
	"task_struct.comm",
	"task_struct.mm.pgd",
	"task_struct.real_parent.pid",
	"task_struct.cred.uid.val",
	"task_struct.files.fdt.max_fds",
	"task_struct.signal.nr_threads",
	"task_struct.se.vruntime",
	"task_struct.nsproxy.pid_ns_for_children",
}

// userTask returns a whole task of a user. Each has a new connection.
func userTask(o *options) (work, error) {
	load, err := loadClose(o.file)
	if err != nil {
		return nil, err
	}
	members := &pb.ResolveMembersRequest{
		Source: &pb.ResolveMembersRequest_Name{Name: "vmlinux"},
		Paths:  taskPaths,
	}
	spec, err := proto.Marshal(&pb.SpecRequest{
		Source:    &pb.SpecRequest_Name{Name: "vmlinux"},
		Encoding:  pb.Encoding_ENCODING_TYPES,
		Selection: &pb.TypeSelection{Names: []string{"task_struct"}, Closure: true},
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, shared *connection) error {
		c, err := dial(o, shared.traffic)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.resolveAll(ctx, members); err != nil {
			return err
		}
		if messages, err := c.drain(ctx, pb.BtfService_Spec_FullMethodName, spec); err != nil {
			return err
		} else if messages < 2 {
			return fmt.Errorf("Spec sent %d messages and no types", messages)
		}
		if objects, err := c.drain(ctx, pb.BtfService_IterateHandles_FullMethodName, nil); err != nil {
			return err
		} else if objects == 0 {
			return fmt.Errorf("IterateHandles sent no object")
		}
		return load(ctx, c)
	}, nil
}

// resolveAll resolves members, all of which must exist.
func (c *connection) resolveAll(ctx context.Context, request *pb.ResolveMembersRequest) error {
	var response pb.ResolveMembersResponse
	if err := c.call(ctx, pb.BtfService_ResolveMembers_FullMethodName, request, &response); err != nil {
		return err
	}
	if len(response.GetResults()) != len(request.GetPaths()) {
		return fmt.Errorf("%d results for %d paths", len(response.GetResults()), len(request.GetPaths()))
	}
	for i, result := range response.GetResults() {
		if result.GetMember() == nil {
			return fmt.Errorf("%s: %s", request.GetPaths()[i], result.GetError().GetMessage())
		}
	}
	return nil
}
