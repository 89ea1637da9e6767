// An echo server on Go's github.com/lesismal/nbio, for comparison.
//
//	nbio --port N
//
// Not a goroutine a connection, but one that polls, and calls the handler itself. GOMAXPROCS is 1: servers are compared on
// one core.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"runtime"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

func main() {
	log.SetFlags(0)
	logging.SetLevel(logging.LevelError)
	port := flag.Int("port", 8080, "the port")
	flag.Parse()
	runtime.GOMAXPROCS(1)

	upgrader := websocket.NewUpgrader()
	upgrader.OnMessage(func(connection *websocket.Conn, kind websocket.MessageType, message []byte) {
		_ = connection.WriteMessage(kind, message)
	})
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network:                 "tcp",
		Addrs:                   []string{fmt.Sprintf(":%d", *port)},
		NPoller:                 1,
		MaxLoad:                 1_000_000,
		ReleaseWebsocketPayload: true,
		ServerExecutor:          func(call func()) { call() },
		Handler: http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
			_, _ = upgrader.Upgrade(writer, request, nil)
		}),
	})
	if err := engine.Start(); err != nil {
		log.Fatal("nbio: ", err)
	}
	fmt.Printf("listening on port %d\n", *port)
	select {}
}
