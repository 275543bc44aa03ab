package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// opMsgOf builds an OP_MSG with the given flags and sections.
func opMsgOf(id, flags uint32, sections ...[]byte) message {
	body := binary.LittleEndian.AppendUint32(nil, flags)
	body = append(body, bytes.Join(sections, nil)...)
	return messageOf(id, 0, opMsg, body)
}

func messageOf(id, responseTo, op uint32, body []byte) message {
	m := make(message, headerLen, headerLen+len(body))
	binary.LittleEndian.PutUint32(m, uint32(headerLen+len(body)))
	binary.LittleEndian.PutUint32(m[4:], id)
	binary.LittleEndian.PutUint32(m[8:], responseTo)
	binary.LittleEndian.PutUint32(m[12:], op)
	return append(m, body...)
}

func doc(t testing.TB, d bson.D) []byte {
	t.Helper()
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// body is a kind 0 section.
func body(t testing.TB, d bson.D) []byte { return append([]byte{0}, doc(t, d)...) }

// sequence is a kind 1 section.
func sequence(t testing.TB, name string, docs ...bson.D) []byte {
	payload := append([]byte(name), 0)
	for _, d := range docs {
		payload = append(payload, doc(t, d)...)
	}
	return append(binary.LittleEndian.AppendUint32([]byte{1}, uint32(4+len(payload))), payload...)
}

func opQueryOf(t testing.TB, id uint32, d bson.D) message {
	b := binary.LittleEndian.AppendUint32(nil, 0)
	b = append(b, "admin.$cmd\x00"...)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, 0xffffffff)
	return messageOf(id, 0, opQuery, append(b, doc(t, d)...))
}

func TestCommand(t *testing.T) {
	hello := bson.D{{Key: "hello", Value: 1}}
	tests := []struct {
		name    string
		m       message
		command string
		hello   bool
	}{
		{"hello", opMsgOf(1, flagExhaust, body(t, hello)), "hello", true},
		{"awaitable hello", opMsgOf(1, 0, body(t, append(hello, bson.E{Key: "maxAwaitTimeMS", Value: 10000}))), "hello", true},
		{"isMaster by OP_QUERY", opQueryOf(t, 1, bson.D{{Key: "isMaster", Value: 1}}), "isMaster", true},
		{"update, documents first", opMsgOf(1, 0, sequence(t, "updates", bson.D{{Key: "hello", Value: 1}}), body(t, bson.D{{Key: "update", Value: "c"}})), "update", false},
		{"hello as a value", opMsgOf(1, 0, body(t, bson.D{{Key: "find", Value: "hello"}})), "find", false},
		{"hello as a second key", opMsgOf(1, 0, body(t, bson.D{{Key: "find", Value: 1}, {Key: "hello", Value: 1}})), "find", false},
		{"empty document", opMsgOf(1, 0, body(t, bson.D{})), "", false},
		{"no sections", opMsgOf(1, 0), "", false},
		{"no flags", messageOf(1, 0, opMsg, nil), "", false},
		{"unknown section", opMsgOf(1, 0, []byte{7, 1, 2, 3}), "", false},
		{"sequence longer than the message", opMsgOf(1, 0, []byte{1, 0xff, 0xff, 0xff, 0xff}), "", false},
		{"sequence of no length", opMsgOf(1, 0, []byte{1, 0, 0, 0, 0}), "", false},
		{"query cut short", messageOf(1, 0, opQuery, []byte("\x00\x00\x00\x00admin.$cmd\x00\x00")), "", false},
		{"another operation", messageOf(1, 0, 2012, []byte("hello")), "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.m.command(); got != tt.command {
				t.Errorf("command() = %q, want %q", got, tt.command)
			}
			if got := tt.m.isHello(); got != tt.hello {
				t.Errorf("isHello() = %t, want %t", got, tt.hello)
			}
		})
	}
}

func TestReadMessage(t *testing.T) {
	whole := opMsgOf(1, 0, body(t, bson.D{{Key: "ping", Value: 1}}))
	header := func(length uint32) []byte {
		b := bytes.Clone(whole)
		binary.LittleEndian.PutUint32(b, length)
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want error
	}{
		{"whole", whole, nil},
		{"nothing", nil, io.EOF},
		{"inside the length", whole[:3], io.ErrUnexpectedEOF},
		{"after the length", whole[:4], io.ErrUnexpectedEOF},
		{"inside the body", whole[:len(whole)-1], io.ErrUnexpectedEOF},
		{"shorter than its header", header(headerLen - 1), errMalformed},
		{"longer than any", header(maxMessageLen + 1), errMalformed},
		{"negative", header(0xffffffff), errMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := readMessage(bytes.NewReader(tt.in))
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err == nil && !bytes.Equal(m, whole) {
				t.Errorf("read %x, want %x", m, whole)
			}
		})
	}
}

func TestOneAnswer(t *testing.T) {
	ping := body(t, bson.D{{Key: "ping", Value: 1}})
	plain := opMsgOf(9, 0, ping)
	tests := []struct {
		name    string
		m       message
		awaited bool
	}{
		{"plain", plain, true},
		{"exhaust allowed", opMsgOf(9, flagExhaust, ping), true},
		{"fire and forget", opMsgOf(9, flagMoreToCome, ping), false},
		{"checksum", opMsgOf(9, flagChecksum, ping, []byte{1, 2, 3, 4}), true},
		{"all of them", opMsgOf(9, flagChecksum|flagMoreToCome|flagExhaust, ping, []byte{1, 2, 3, 4}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, awaited := tt.m.oneAnswer()
			if awaited != tt.awaited {
				t.Errorf("awaited = %t, want %t", awaited, tt.awaited)
			}
			if !bytes.Equal(got, plain) {
				t.Errorf("passed on\n%x, want\n%x", got, plain)
			}
		})
	}
	t.Run("query", func(t *testing.T) {
		q := opQueryOf(t, 1, bson.D{{Key: "isMaster", Value: 1}})
		got, awaited := q.oneAnswer()
		if !awaited || !bytes.Equal(got, q) {
			t.Errorf("OP_QUERY was changed")
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(opMsgOf(1, flagChecksum|flagMoreToCome, body(f, bson.D{{Key: "ping", Value: 1}}), []byte{1, 2, 3, 4})))
	f.Add([]byte(opMsgOf(1, 0, sequence(f, "updates", bson.D{{Key: "q", Value: 1}}), body(f, bson.D{{Key: "update", Value: "c"}}))))
	f.Add([]byte(opQueryOf(f, 1, bson.D{{Key: "isMaster", Value: 1}})))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := readMessage(bytes.NewReader(in))
		if err != nil {
			return
		}
		command := m.command()
		changed, _ := m.oneAnswer()
		if n := binary.LittleEndian.Uint32(changed); int(n) != len(changed) {
			t.Fatalf("length says %d, message has %d bytes", n, len(changed))
		}
		if changed.flags()&(flagChecksum|flagMoreToCome|flagExhaust) != 0 {
			t.Fatalf("flags %x left", changed.flags())
		}
		if got := changed.command(); got != command && len(changed) == len(in) {
			t.Fatalf("command changed from %q to %q", command, got)
		}
	})
}
