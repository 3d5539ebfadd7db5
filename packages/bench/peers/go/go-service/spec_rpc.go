package main

import (
	"bytes"

	pb "btfd/btf/v1"

	"github.com/cilium/ebpf/btf"
	"google.golang.org/grpc"
)

// chunkSize is the contract's bound on the size of a message.
const chunkSize = 256 << 10

type specStream = grpc.ServerStreamingServer[pb.SpecResponse]

func (s *service) Spec(request *pb.SpecRequest, stream specStream) error {
	if request.GetBase() != nil {
		return unsupported("a base that the request names")
	}
	o, err := s.open(request)
	if err != nil {
		return err
	}
	switch request.GetEncoding() {
	case pb.Encoding_ENCODING_UNSPECIFIED, pb.Encoding_ENCODING_RAW:
		return sendRaw(o, request, stream)
	case pb.Encoding_ENCODING_TYPES:
		return sendTypes(o, request, stream)
	default:
		return unsupported("this encoding")
	}
}

// open opens the source of a request for a Spec or for members.
func (s *service) open(request interface {
	GetHandle() string
	GetId() uint32
	GetName() string
}) (*object, error) {
	switch {
	case request.GetHandle() != "":
		return s.byHandle(request.GetHandle())
	case request.GetId() != 0:
		return s.objects.byID(request.GetId())
	case request.GetName() != "":
		return s.objects.byName(request.GetName())
	default:
		return nil, invalid("source: name an object by handle, id or name")
	}
}

func sendRaw(o *object, request *pb.SpecRequest, stream specStream) error {
	// The whole RAW does not need the types, but the header has their number.
	t, err := o.types()
	if err != nil {
		return err
	}
	header := headerOf(o, t)
	raw := o.raw
	if request.GetSelection() != nil {
		selected, result, err := selectTypes(o, request.GetSelection(), false)
		if err != nil {
			return err
		}
		if raw, err = marshal(t.spec, selected); err != nil {
			return err
		}
		result.RawSize = uint32(len(raw))
		header.Selection = result
	} else if condition := request.GetIfNoneMatch(); condition != nil {
		header.NotModified = bytes.Equal(condition.GetDigest(), header.Digest) &&
			bytes.Equal(condition.GetBaseDigest(), header.BaseDigest)
	}
	if err := sendHeader(header, stream); err != nil || header.NotModified {
		return err
	}
	for len(raw) > 0 {
		chunk := raw[:min(len(raw), chunkSize)]
		raw = raw[len(chunk):]
		if err := stream.Send(&pb.SpecResponse{Part: &pb.SpecResponse_Raw{Raw: chunk}}); err != nil {
			return err
		}
	}
	return nil
}

// marshal returns a BTF of its own with some types and everything that they refer to.
func marshal(spec *btf.Spec, ids []btf.TypeID) ([]byte, error) {
	builder := new(btf.Builder)
	for _, id := range ids {
		typ, err := spec.TypeByID(id)
		if err != nil {
			return nil, undecodable(err)
		}
		if _, err := builder.Add(typ); err != nil {
			return nil, internal(err)
		}
	}
	raw, err := builder.Marshal(nil, nil)
	if err != nil {
		return nil, internal(err)
	}
	return raw, nil
}

func sendTypes(o *object, request *pb.SpecRequest, stream specStream) error {
	t, err := o.types()
	if err != nil {
		return err
	}
	header := headerOf(o, t)
	var chunks typeChunks
	if request.GetSelection() == nil {
		if err := sendHeader(header, stream); err != nil {
			return err
		}
		for id := t.first; id <= t.last; id++ {
			if err := chunks.add(t.spec, id, stream); err != nil {
				return err
			}
		}
		return chunks.flush(stream)
	}
	ids, result, err := selectTypes(o, request.GetSelection(), request.GetSelection().GetClosure())
	if err != nil {
		return err
	}
	header.Selection = result
	if err := sendHeader(header, stream); err != nil {
		return err
	}
	for _, id := range ids {
		if err := chunks.add(t.spec, id, stream); err != nil {
			return err
		}
	}
	return chunks.flush(stream)
}

func sendHeader(header *pb.SpecHeader, stream specStream) error {
	return stream.Send(&pb.SpecResponse{Part: &pb.SpecResponse_Header{Header: header}})
}

func headerOf(o *object, t *types) *pb.SpecHeader {
	header := &pb.SpecHeader{
		Info:      o.info,
		ByteOrder: pb.ByteOrder_BYTE_ORDER_LITTLE_ENDIAN,
		TypeCount: uint32(t.last - t.first + 1),
		RawSize:   uint32(len(o.raw)),
		Digest:    o.digest,
	}
	if o.base != nil {
		header.BaseDigest, header.Split = o.base.digest, true
	}
	return header
}

// typeChunks gathers type messages into messages of at most chunkSize.
type typeChunks struct {
	list []*pb.Type
	size int
}

func (c *typeChunks) add(spec *btf.Spec, id btf.TypeID, stream specStream) error {
	typ, err := spec.TypeByID(id)
	if err != nil {
		return undecodable(err)
	}
	message, size, err := messageOf(spec, id, typ)
	if err != nil {
		return undecodable(err)
	}
	// No type of a kernel is larger than a chunk, so none has to be continued in the next.
	if c.size+size > chunkSize {
		if err := c.flush(stream); err != nil {
			return err
		}
	}
	c.list = append(c.list, message)
	c.size += size
	return nil
}

func (c *typeChunks) flush(stream specStream) error {
	if len(c.list) == 0 {
		return nil
	}
	list := &pb.TypeList{Types: c.list}
	*c = typeChunks{}
	return stream.Send(&pb.SpecResponse{Part: &pb.SpecResponse_Types{Types: list}})
}
