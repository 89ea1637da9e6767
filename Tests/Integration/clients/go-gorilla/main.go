// A client made with Go's github.com/gorilla/websocket, driven as pipe.py describes.
//
//	go-gorilla URL whole|fragmented none|no-context-takeover
package main

import (
	"log"
	"os"
	"time"

	pipe "../go-pipe"
	"github.com/gorilla/websocket"
)

// gorilla sends a frame whenever its buffer is full, so the buffer decides whether there are fragments.
var bufferSizes = map[string]int{"whole": 17 << 20, "fragmented": 1000}

type client struct{ connection *websocket.Conn }

func (client client) Send(isText bool, fragments [][]byte) error {
	kind := websocket.BinaryMessage
	if isText {
		kind = websocket.TextMessage
	}
	writer, err := client.connection.NextWriter(kind)
	if err != nil {
		return err
	}
	for _, fragment := range fragments {
		if _, err := writer.Write(fragment); err != nil {
			return err
		}
	}
	return writer.Close()
}

func (client client) Receive() (bool, []byte, error) {
	kind, payload, err := client.connection.ReadMessage()
	return kind == websocket.TextMessage, payload, err
}

func (client client) Close() error {
	message := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	deadline := time.Now().Add(10 * time.Second)
	if err := client.connection.WriteControl(websocket.CloseMessage, message, deadline); err != nil {
		return err
	}
	_, _, err := client.connection.ReadMessage()
	if websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		return nil
	}
	return err
}

func main() {
	dialer := websocket.Dialer{
		WriteBufferSize:   bufferSizes[os.Args[2]],
		EnableCompression: os.Args[3] == "no-context-takeover",
	}
	connection, _, err := dialer.Dial(os.Args[1], nil)
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	pipe.Serve(client{connection})
}
