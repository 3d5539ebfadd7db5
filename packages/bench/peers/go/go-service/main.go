// Command go-service serves the contract of btfd on cilium/ebpf and grpc-go, for the benchmark:
//
//	go-service --address unix:PATH
//
// It is written as a team would write it in Go, with the libraries as they are: types come from a Spec of cilium/ebpf
// and become messages of the generated contract. It keeps the kernel's own BTF parsed. It has leases and the contract's
// error details.
//
// It has none of btfd's roles, quotas, audit log, metrics or bounds against hostile BTF. It cannot build BTF from type
// messages, print C, hold objects in a stream, or watch. It selects no tags by name and does not say which tags are
// attributes, because cilium/ebpf does not.
//
//go:debug default=go1.27
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	pb "btfd/btf/v1"

	"google.golang.org/grpc"
)

// maxMessage has room for the 16 MiB of the largest BTF.
const maxMessage = 17 << 20

func main() {
	log.SetFlags(0)
	address := flag.String("address", "", "unix:PATH or HOST:PORT")
	flag.Parse()
	listener, err := listen(*address)
	if err != nil {
		log.Fatal(err)
	}
	service, err := newService()
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage))
	pb.RegisterBtfServiceServer(server, service)
	go stopAtSignal(server)
	fmt.Println("listening")
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

func listen(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return net.Listen("unix", path)
	}
	return net.Listen("tcp", address)
}

func stopAtSignal(server *grpc.Server) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	<-signals
	server.Stop()
}
