// Package pipe lets a test drive a WebSocket client through standard input and output; pipe.py describes the bytes.
package pipe

import (
	"bufio"
	"encoding/binary"
	"io"
	"log"
	"os"
)

// Client is what a WebSocket library has to do.
type Client interface {
	Send(isText bool, fragments [][]byte) error
	Receive() (isText bool, payload []byte, err error)
	// Close sends a close frame with code 1000 and waits for the server's.
	Close() error
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func readNumber(input io.Reader) uint32 {
	var number uint32
	check(binary.Read(input, binary.BigEndian, &number))
	return number
}

func readFragments(input io.Reader) [][]byte {
	fragments := make([][]byte, readNumber(input))
	for i := range fragments {
		fragments[i] = make([]byte, readNumber(input))
		_, err := io.ReadFull(input, fragments[i])
		check(err)
	}
	return fragments
}

func writeMessage(output *bufio.Writer, isText bool, payload []byte) {
	kind := byte('b')
	if isText {
		kind = 't'
	}
	check(output.WriteByte(kind))
	check(binary.Write(output, binary.BigEndian, uint32(len(payload))))
	_, err := output.Write(payload)
	check(err)
	check(output.Flush())
}

// Serve sends each message of standard input and tells what comes back, until standard input ends; then it closes.
func Serve(client Client) {
	input, output := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		kind, err := input.ReadByte()
		if err == io.EOF {
			break
		}
		check(err)
		check(client.Send(kind == 't', readFragments(input)))
		isText, payload, err := client.Receive()
		check(err)
		writeMessage(output, isText, payload)
	}
	check(client.Close())
}
