// An echo server on Go's github.com/lxzan/gws, for comparison.
//
//	gws --port N [--deflate] [--certificate FILE --key FILE]
//
// One goroutine a connection, which reads, calls the handler and writes. GOMAXPROCS is 1: servers are compared on one core.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"runtime"

	"github.com/lxzan/gws"
)

type echo struct {
	gws.BuiltinEventHandler
}

func (echo) OnMessage(connection *gws.Conn, message *gws.Message) {
	defer message.Close()
	_ = connection.WriteMessage(message.Opcode, message.Bytes())
}

func main() {
	log.SetFlags(0)
	port := flag.Int("port", 8080, "the port")
	deflate := flag.Bool("deflate", false, "agree on permessage-deflate")
	certificate := flag.String("certificate", "", "with TLS: a file")
	key := flag.String("key", "", "the certificate's, a file")
	flag.Parse()
	runtime.GOMAXPROCS(1)

	upgrader := gws.NewUpgrader(echo{}, &gws.ServerOption{
		CheckUtf8Enabled:  true,
		PermessageDeflate: gws.PermessageDeflate{Enabled: *deflate, Threshold: 1},
	})
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", *port))
	if err != nil {
		log.Fatal("gws: ", err)
	}
	fmt.Printf("listening on port %d\n", *port)
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		connection, err := upgrader.Upgrade(writer, request)
		if err == nil {
			// A new goroutine, so that the HTTP server's buffers are not kept.
			go connection.ReadLoop()
		}
	})
	if *certificate != "" {
		log.Fatal(http.ServeTLS(listener, handler, *certificate, *key))
	}
	log.Fatal(http.Serve(listener, handler))
}
