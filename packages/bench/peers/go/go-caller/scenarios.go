package main

import (
	"context"
	"fmt"
	"os"

	pb "btfd/btf/v1"

	"google.golang.org/protobuf/proto"
)

// work is one call of a scenario on a connection.
type work func(ctx context.Context, c *connection) error

func workOf(o *options) (work, error) {
	switch o.scenario {
	case "unary", "connect":
		return func(ctx context.Context, c *connection) error {
			_, err := c.unary(ctx, o.method, o.request, false)
			return err
		}, nil
	case "stream":
		return func(ctx context.Context, c *connection) error {
			_, err := c.drain(ctx, o.method, o.request)
			return err
		}, nil
	case "get-close":
		return getClose(uint32(o.id))
	case "load-close":
		return loadClose(o.file)
	case "task":
		return userTask(o)
	default:
		return nil, fmt.Errorf("unknown scenario %q: use unary, stream, get-close, load-close, task or connect", o.scenario)
	}
}

func getClose(id uint32) (work, error) {
	request, err := proto.Marshal(&pb.GetHandleByIdRequest{Id: id})
	return func(ctx context.Context, c *connection) error {
		bytes, err := c.unary(ctx, pb.BtfService_GetHandleById_FullMethodName, request, true)
		if err != nil {
			return err
		}
		var response pb.GetHandleByIdResponse
		if err := proto.Unmarshal(bytes, &response); err != nil {
			return err
		}
		return c.closeHandle(ctx, response.GetHandle().GetToken())
	}, err
}

func loadClose(file string) (work, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	request, err := proto.Marshal(&pb.LoadHandleRequest{Source: &pb.LoadHandleRequest_RawBtf{RawBtf: raw}})
	return func(ctx context.Context, c *connection) error {
		bytes, err := c.unary(ctx, pb.BtfService_LoadHandle_FullMethodName, request, true)
		if err != nil {
			return err
		}
		var response pb.LoadHandleResponse
		if err := proto.Unmarshal(bytes, &response); err != nil {
			return err
		}
		return c.closeHandle(ctx, response.GetHandle().GetToken())
	}, err
}

// closeHandle closes a handle that must be open.
func (c *connection) closeHandle(ctx context.Context, token string) error {
	var response pb.CloseHandlesResponse
	request := &pb.CloseHandlesRequest{Tokens: []string{token}}
	if err := c.call(ctx, pb.BtfService_CloseHandles_FullMethodName, request, &response); err != nil {
		return err
	}
	if open := response.GetWasOpen(); len(open) != 1 || !open[0] {
		return fmt.Errorf("the handle %q was not open", token)
	}
	return nil
}
