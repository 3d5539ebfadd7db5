// Command go-caller calls a server of the contract many times, and prints one line of JSON with what it measured:
//
//	go-caller --address unix:PATH --scenario unary --requests 1000 --method /btf.v1.BtfService/GetServerInfo
//
// Scenarios:
//
//	unary       calls --method with the bytes of --request-hex
//	stream      the same for a server stream, which is read to its end
//	get-close   gets a handle on the object with the BTF id --id, and closes it
//	load-close  loads the raw BTF of --file, and closes the handle
//	task        connects, asks where ten members are, gets task_struct with everything that it refers to, lists the
//	            objects, loads --file and closes it
//	connect     makes --connections new connections at once, and --requests unary calls on each
//
// It costs less than any of the servers: messages stay encoded, except where a later call needs a part of them.
//
//go:debug default=go1.27
package main

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
)

type options struct {
	address     string
	scenario    string
	requests    int
	inFlight    int
	connections int
	method      string
	request     []byte
	id          uint
	file        string
	window      int
	deadline    time.Duration
	// allowed is a code that is not a failure; OK if there is none.
	allowed codes.Code
}

func main() {
	// Processors that wait for a response spin, which costs a third more CPU time and brings no more calls.
	runtime.GOMAXPROCS(1)
	result, err := func() (*result, error) {
		o, err := parseOptions()
		if err != nil {
			return nil, err
		}
		return run(o)
	}()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-caller:", err)
		os.Exit(1)
	}
}

func parseOptions() (*options, error) {
	o := &options{}
	flag.StringVar(&o.address, "address", "", "unix:PATH or HOST:PORT")
	flag.StringVar(&o.scenario, "scenario", "unary", "unary, stream, get-close, load-close, task or connect")
	flag.IntVar(&o.requests, "requests", 1, "number of calls; for connect, on each connection")
	flag.IntVar(&o.inFlight, "in-flight", 1, "calls at once; for connect, on each connection")
	flag.IntVar(&o.connections, "connections", 1, "connections over which calls are spread")
	flag.StringVar(&o.method, "method", "/btf.v1.BtfService/GetServerInfo", "method of unary, stream and connect")
	request := flag.String("request-hex", "", "encoded request of unary, stream and connect")
	flag.UintVar(&o.id, "id", 0, "BTF id, for get-close")
	flag.StringVar(&o.file, "file", "", "raw BTF, for load-close and task")
	flag.IntVar(&o.window, "window", 0, "bytes of the flow control window; 0 lets gRPC adapt it")
	deadline := flag.Float64("deadline-s", 0, "deadline of each call in seconds; 0 for none")
	allowed := flag.String("allow-code", "OK", "code that is not a failure, for example RESOURCE_EXHAUSTED")
	flag.Parse()
	if flag.NArg() > 0 {
		return nil, fmt.Errorf("invalid argument %q: all arguments are options", flag.Arg(0))
	}
	if o.requests < 1 || o.inFlight < 1 || o.connections < 1 {
		return nil, fmt.Errorf("--requests, --in-flight and --connections must be 1 or more")
	}
	o.deadline = time.Duration(*deadline * float64(time.Second))
	var err error
	if o.request, err = hex.DecodeString(*request); err != nil {
		return nil, fmt.Errorf("--request-hex: %w", err)
	}
	if err := o.allowed.UnmarshalJSON([]byte(strconv.Quote(*allowed))); err != nil {
		return nil, fmt.Errorf("--allow-code: %w", err)
	}
	return o, nil
}
