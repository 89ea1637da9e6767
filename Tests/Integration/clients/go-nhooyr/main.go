// A client made with Go's nhooyr.io/websocket, driven as pipe.py describes.
//
//	go-nhooyr URL whole|fragmented none|no-context-takeover|context-takeover
package main

import (
	"context"
	"log"
	"os"

	pipe "../go-pipe"
	"nhooyr.io/websocket"
)

var compressionModes = map[string]websocket.CompressionMode{
	"none":                websocket.CompressionDisabled,
	"no-context-takeover": websocket.CompressionNoContextTakeover,
	"context-takeover":    websocket.CompressionContextTakeover,
}

type client struct{ connection *websocket.Conn }

func (client client) Send(isText bool, fragments [][]byte) error {
	kind := websocket.MessageBinary
	if isText {
		kind = websocket.MessageText
	}
	if len(fragments) == 1 {
		return client.connection.Write(context.Background(), kind, fragments[0])
	}
	writer, err := client.connection.Writer(context.Background(), kind)
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
	kind, payload, err := client.connection.Read(context.Background())
	return kind == websocket.MessageText, payload, err
}

func (client client) Close() error {
	return client.connection.Close(websocket.StatusNormalClosure, "")
}

func main() {
	// It decides by the first fragment whether a message is long enough to be compressed.
	options := websocket.DialOptions{CompressionMode: compressionModes[os.Args[3]], CompressionThreshold: 1}
	connection, _, err := websocket.Dial(context.Background(), os.Args[1], &options)
	if err != nil {
		log.Fatal(err)
	}
	connection.SetReadLimit(32 << 20)
	pipe.Serve(client{connection})
}
