package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The parts of the MongoDB wire protocol that the gate looks at. All numbers
// are little-endian; see "MongoDB Wire Protocol" in the MongoDB manual.
const (
	headerLen     = 16
	maxMessageLen = 48_000_000 // what the server names as maxMessageSizeBytes

	opReply = 1    // answers opQuery
	opQuery = 2004 // a driver's very first hello
	opMsg   = 2013 // everything else

	flagChecksum   = 1 << 0  // OP_MSG: a CRC-32C closes the message
	flagMoreToCome = 1 << 1  // OP_MSG: the sender expects no answer
	flagExhaust    = 1 << 16 // OP_MSG: the server may answer more than once

	checksumLen = 4
)

var errMalformed = errors.New("malformed message")

// message is one whole message as it stands on the wire, header included.
type message []byte

func (m message) requestID() uint32  { return binary.LittleEndian.Uint32(m[4:]) }
func (m message) responseTo() uint32 { return binary.LittleEndian.Uint32(m[8:]) }
func (m message) opCode() uint32     { return binary.LittleEndian.Uint32(m[12:]) }

// flags returns OP_MSG's flag bits, and 0 for any other message.
func (m message) flags() uint32 {
	if m.opCode() != opMsg || len(m) < headerLen+4 {
		return 0
	}
	return binary.LittleEndian.Uint32(m[headerLen:])
}

// readMessage reads one message. It returns io.EOF when r ends between two
// messages and io.ErrUnexpectedEOF when it ends inside one.
func readMessage(r io.Reader) (message, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n < headerLen || n > maxMessageLen {
		return nil, fmt.Errorf("%w: length %d", errMalformed, n)
	}
	m := make(message, n)
	copy(m, length[:])
	if _, err := io.ReadFull(r, m[len(length):]); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return m, nil
}

// oneAnswer returns m changed so that FerretDB sends exactly one answer, which
// it does for every message, and says whether the client waits for it.
//
// exhaustAllowed only permits more answers, so leaving it out is always right.
// The checksum covers the flags and is optional: it goes with them.
func (m message) oneAnswer() (_ message, awaited bool) {
	flags := m.flags()
	awaited = flags&flagMoreToCome == 0
	if flags&(flagChecksum|flagMoreToCome|flagExhaust) == 0 {
		return m, awaited
	}
	if flags&flagChecksum != 0 && len(m) >= headerLen+4+checksumLen {
		m = m[:len(m)-checksumLen]
		binary.LittleEndian.PutUint32(m, uint32(len(m))) //nolint:gosec // G115: readMessage has bounded it by maxMessageLen
	}
	binary.LittleEndian.PutUint32(m[headerLen:], flags&^(flagChecksum|flagMoreToCome|flagExhaust))
	return m, awaited
}

// isHello says whether m is the greeting by which drivers watch a server. It
// touches no document, and a driver may ask the server to hold it back until
// something changes: it must not take a turn.
func (m message) isHello() bool {
	switch strings.ToLower(m.command()) {
	case "hello", "ismaster":
		return true
	}
	return false
}

// command is the name of the command in m: the first key of its document. It is
// empty where m holds none that can be read.
func (m message) command() string {
	switch m.opCode() {
	case opMsg:
		if len(m) < headerLen+4 {
			return ""
		}
		return commandOfSections(m[headerLen+4:])
	case opQuery:
		// flags, collection name, two numbers, then the document
		if len(m) < headerLen+4 {
			return ""
		}
		rest := m[headerLen+4:]
		end := indexZero(rest)
		if end < 0 || len(rest) < end+1+8 {
			return ""
		}
		return firstKey(rest[end+1+8:])
	}
	return ""
}

// commandOfSections finds the body among OP_MSG's sections. Kind 0 is the body;
// kind 1 is a sequence of documents, its own length first, and may come before.
func commandOfSections(b []byte) string {
	for len(b) > 0 {
		kind := b[0]
		b = b[1:]
		switch kind {
		case 0:
			return firstKey(b)
		case 1:
			if len(b) < 4 {
				return ""
			}
			n := binary.LittleEndian.Uint32(b)
			if n < 4 || uint64(n) > uint64(len(b)) {
				return ""
			}
			b = b[n:]
		default:
			return ""
		}
	}
	return ""
}

// firstKey is the first key of a BSON document: its length (4 bytes), then the
// first element's type (1 byte) and its key, which a zero byte ends.
func firstKey(doc []byte) string {
	const before = 4 + 1
	if len(doc) <= before {
		return ""
	}
	key := doc[before:]
	end := indexZero(key)
	if end < 0 {
		return ""
	}
	return string(key[:end])
}

func indexZero(b []byte) int {
	for i, c := range b {
		if c == 0 {
			return i
		}
	}
	return -1
}
