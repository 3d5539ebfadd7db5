package main

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// maxMessage is larger than any message of the contract.
const maxMessage = 64 << 20

// response is what is left of an encoded response.
type response struct {
	length int
	// bytes has the response if keep is set.
	keep  bool
	bytes []byte
}

// rawCodec passes encoded messages on: a []byte as a request, and a *response.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(request any) (mem.BufferSlice, error) {
	bytes, ok := request.([]byte)
	if !ok {
		return nil, errors.New("not an encoded request")
	}
	return mem.BufferSlice{mem.SliceBuffer(bytes)}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, target any) error {
	r, ok := target.(*response)
	if !ok {
		return errors.New("not a response")
	}
	r.length = data.Len()
	if r.keep {
		r.bytes = data.Materialize()
	}
	return nil
}

// connection counts what arrives on a connection.
type connection struct {
	*grpc.ClientConn
	options *options
	traffic *traffic
}

// dial makes a connection, which connects when it is first used.
func dial(o *options, t *traffic) (*connection, error) {
	dialOptions := []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodecV2(rawCodec{}),
			grpc.MaxCallRecvMsgSize(maxMessage),
			grpc.MaxCallSendMsgSize(maxMessage),
		),
	}
	if o.window > 0 {
		window := int32(o.window)
		dialOptions = append(dialOptions, grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window))
	}
	conn, err := grpc.NewClient(o.address, dialOptions...)
	if err != nil {
		return nil, err
	}
	return &connection{conn, o, t}, nil
}

func (c *connection) context(parent context.Context) (context.Context, context.CancelFunc) {
	if c.options.deadline == 0 {
		return parent, func() {}
	}
	return context.WithTimeout(parent, c.options.deadline)
}

// unary makes a call. The response is kept only on request.
func (c *connection) unary(parent context.Context, method string, request []byte, keep bool) ([]byte, error) {
	ctx, cancel := c.context(parent)
	defer cancel()
	r := response{keep: keep}
	if err := c.Invoke(ctx, method, request, &r); err != nil {
		return nil, err
	}
	c.traffic.add(1, r.length)
	return r.bytes, nil
}

// call makes a unary call with messages. It decodes the response if it is not nil.
func (c *connection) call(ctx context.Context, method string, request, into proto.Message) error {
	encoded, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	bytes, err := c.unary(ctx, method, encoded, into != nil)
	if err != nil || into == nil {
		return err
	}
	return proto.Unmarshal(bytes, into)
}

// drain reads a stream to its end. It returns the number of messages.
func (c *connection) drain(parent context.Context, method string, request []byte) (int, error) {
	ctx, cancel := c.context(parent)
	defer cancel()
	stream, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
	if err != nil {
		return 0, err
	}
	if err := stream.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if err := stream.CloseSend(); err != nil {
		return 0, err
	}
	var r response
	messages, bytes := 0, 0
	for {
		err := stream.RecvMsg(&r)
		if errors.Is(err, io.EOF) {
			c.traffic.add(messages, bytes)
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		messages++
		bytes += r.length
	}
}
