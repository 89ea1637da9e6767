// An echo server on Go's github.com/gorilla/websocket, for comparison.
//
//	gorilla --port N [--deflate] [--certificate FILE --key FILE]
//
// One goroutine a connection, as the library wants it; buffers of the HTTP server are reused, and what is written goes out
// at once. GOMAXPROCS is 1: servers are compared on one core.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"

	"github.com/gorilla/websocket"
)

func main() {
	log.SetFlags(0)
	port := flag.Int("port", 8080, "the port")
	deflate := flag.Bool("deflate", false, "agree on permessage-deflate")
	certificate := flag.String("certificate", "", "with TLS: a file")
	key := flag.String("key", "", "the certificate's, a file")
	flag.Parse()
	runtime.GOMAXPROCS(1)

	upgrader := websocket.Upgrader{
		EnableCompression: *deflate,
		WriteBufferPool:   nil,
		CheckOrigin:       func(*http.Request) bool { return true },
	}
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", *port))
	if err != nil {
		log.Fatal("gorilla: ", err)
	}
	fmt.Printf("listening on port %d\n", *port)
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		connection, err := upgrader.Upgrade(writer, request, nil)
		if err == nil {
			echo(connection)
		}
	})
	if *certificate != "" {
		log.Fatal(http.ServeTLS(listener, handler, *certificate, *key))
	}
	log.Fatal(http.Serve(listener, handler))
}

func echo(connection *websocket.Conn) {
	defer connection.Close()
	var message []byte
	for {
		kind, reader, err := connection.NextReader()
		if err != nil {
			return
		}
		message, err = readInto(message[:0], reader)
		if err != nil || connection.WriteMessage(kind, message) != nil {
			return
		}
	}
}

// Reads all of a message into a slice that is used again, so that no message allocates.
func readInto(message []byte, reader io.Reader) ([]byte, error) {
	for {
		if len(message) == cap(message) {
			message = append(message, 0)[:len(message)]
		}
		count, err := reader.Read(message[len(message):cap(message)])
		message = message[:len(message)+count]
		if err == io.EOF {
			return message, nil
		}
		if err != nil {
			return message, err
		}
	}
}
