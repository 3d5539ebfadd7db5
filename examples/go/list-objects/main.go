// Command list-objects lists the BTF objects of a node, and shows the details of an error.
//
//	list-objects unix:/run/btfd/btfd.sock
//
// The package btfd/btf/v1 is generated from proto/, with protoc-gen-go and protoc-gen-go-grpc.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	btfv1 "btfd/btf/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatalf("usage: %s ADDRESS", os.Args[0])
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(address string) error {
	// A unix socket needs no TLS: the kernel identifies the caller to the daemon.
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client := btfv1.NewBtfServiceClient(conn)
	stream, err := client.IterateHandles(ctx, &btfv1.IterateHandlesRequest{})
	if err != nil {
		return err
	}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		info := response.GetInfo()
		fmt.Println(info.GetId(), info.GetName(), info.GetOrigin(), info.GetSize())
	}
	_, err = client.GetHandleById(ctx, &btfv1.GetHandleByIdRequest{Id: 1<<31 - 2})
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			fmt.Println(status.Code(err), info.GetReason(), info.GetMetadata())
		}
	}
	return nil
}
