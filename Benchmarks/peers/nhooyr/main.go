// An echo server on Go's nhooyr.io/websocket, for comparison.
//
//	nhooyr --port N [--deflate] [--certificate FILE --key FILE]
//
// One goroutine a connection, as the library wants it. GOMAXPROCS is 1: servers are compared on one core.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"

	"nhooyr.io/websocket"
)

const largest = 16 << 20

func main() {
	log.SetFlags(0)
	port := flag.Int("port", 8080, "the port")
	deflate := flag.Bool("deflate", false, "agree on permessage-deflate")
	certificate := flag.String("certificate", "", "with TLS: a file")
	key := flag.String("key", "", "the certificate's, a file")
	flag.Parse()
	runtime.GOMAXPROCS(1)

	options := websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled}
	if *deflate {
		options.CompressionMode = websocket.CompressionNoContextTakeover
		options.CompressionThreshold = 1
	}
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", *port))
	if err != nil {
		log.Fatal("nhooyr: ", err)
	}
	fmt.Printf("listening on port %d\n", *port)
	handler := http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		connection, err := websocket.Accept(writer, request, &options)
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
	defer connection.Close(websocket.StatusInternalError, "")
	connection.SetReadLimit(largest)
	background := context.Background()
	var message []byte
	for {
		kind, reader, err := connection.Reader(background)
		if err != nil {
			return
		}
		message, err = readInto(message[:0], reader)
		if err != nil || connection.Write(background, kind, message) != nil {
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
