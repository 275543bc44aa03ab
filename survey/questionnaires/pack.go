package questionnaires

import (
	"encoding/binary"
	"slices"

	"victimvoice/internal/fault"
)

// The packed form of closed answers, fixed for ever:
//
//	byte 0     format, packFormat
//	byte 1     stage number, packStage
//	byte 2-3   version of the questionnaire, big endian
//	then, item by item in the order of Items:
//	  single   1 byte: a State (0–5) without a choice, or 16 + index of the option
//	  multi    1 byte State, then 8 bytes little endian: bit i is option i
//	  text     1 byte State; words are never packed
//
// A single item whose option stands for "not sure" packs as the option; its
// state comes back from the questionnaire.
const (
	packFormat = 1
	packHeader = 4
	packOption = 16
	multiSize  = 9
)

// packStage numbers the stages in the packed form; a number is never reused.
func packStage(s Stage) byte {
	switch s {
	case Report:
		return 1
	case Investigation:
		return 2
	case Closure:
		return 3
	case Withdrawn:
		return 4
	case about:
		return 5
	case ticks:
		return 6
	}
	return 0
}

func (it *Item) packedSize() int {
	if it.Kind == Multi {
		return multiSize
	}
	return 1
}

// Pack writes the closed answers, and the bare state of free-text ones, in a
// compact form that never changes for a published version. The answers must
// have passed Check: one that would not is packed as not reached.
func (q *Questionnaire) Pack(a Answers) []byte {
	b := make([]byte, q.size)
	b[0], b[1] = packFormat, packStage(q.Stage)
	binary.BigEndian.PutUint16(b[2:], uint16(q.Version)) // #nosec G115 -- the loader holds versions under 65,536
	for i := range q.Items {
		it := &q.Items[i]
		ans, ok := a[it.ID]
		if !ok || int(ans.State) >= len(stateWords) {
			continue
		}
		switch it.Kind {
		case Single:
			b[it.at] = it.packSingle(ans)
		case Multi:
			it.packMulti(b[it.at:it.at+multiSize], ans)
		case Words:
			b[it.at] = byte(ans.State)
		}
	}
	return b
}

func (it *Item) packSingle(a Answer) byte {
	if a.Choice == "" {
		if a.State == Answered {
			return byte(NotReached)
		}
		return byte(a.State)
	}
	for i := range it.Options {
		if it.Options[i].Code == a.Choice {
			return byte(packOption + i) // #nosec G115 -- the loader holds options to 64
		}
	}
	return byte(NotReached)
}

func (it *Item) packMulti(b []byte, a Answer) {
	var bits uint64
	for _, c := range a.Choices {
		i := slices.IndexFunc(it.Options, func(o Option) bool { return o.Code == c })
		if i < 0 {
			return
		}
		bits |= 1 << i
	}
	if a.State == Answered && bits == 0 {
		return
	}
	b[0] = byte(a.State)
	binary.LittleEndian.PutUint64(b[1:], bits)
}

// Unpack reads what Pack wrote for the same questionnaire. Items not reached
// are left out; choices come back in the order of the options; free text comes
// back as its state alone. Anything else is fault Invalid.
func (q *Questionnaire) Unpack(b []byte) (Answers, error) {
	if len(b) < packHeader || b[0] != packFormat {
		return nil, fault.New(fault.Invalid, "these are not packed answers")
	}
	if b[1] != packStage(q.Stage) || int(binary.BigEndian.Uint16(b[2:])) != q.Version {
		return nil, fault.New(fault.Invalid, "these answers belong to another questionnaire than %s", q.ID)
	}
	if len(b) != q.size {
		return nil, fault.New(fault.Invalid, "packed answers to %s hold %d bytes, not %d", q.ID, q.size, len(b))
	}
	a := make(Answers, len(q.Items))
	for i := range q.Items {
		it := &q.Items[i]
		ans, ok := it.unpack(b[it.at : it.at+it.packedSize()])
		if !ok {
			return nil, fault.New(fault.Invalid, "packed answers to %s: %s cannot be read", q.ID, it.ID)
		}
		if ans.State != NotReached {
			a[it.ID] = ans
		}
	}
	return a, nil
}

func (it *Item) unpack(b []byte) (Answer, bool) {
	state := State(b[0])
	switch it.Kind {
	case Single:
		if b[0] >= packOption {
			i := int(b[0]) - packOption
			if i >= len(it.Options) {
				return Answer{}, false
			}
			o := &it.Options[i]
			return Answer{State: o.State, Choice: o.Code}, true
		}
		return Answer{State: state}, int(state) < len(stateWords) && state != Answered
	case Multi:
		return it.unpackMulti(state, binary.LittleEndian.Uint64(b[1:]))
	case Words:
	}
	return Answer{State: state}, int(state) < len(stateWords)
}

func (it *Item) unpackMulti(state State, bits uint64) (Answer, bool) {
	if int(state) >= len(stateWords) || (len(it.Options) < maxOptions && bits>>len(it.Options) != 0) {
		return Answer{}, false
	}
	a := Answer{State: state}
	for i := range it.Options {
		if bits&(1<<i) != 0 {
			a.Choices = append(a.Choices, it.Options[i].Code)
		}
	}
	return a, it.check(a) == ""
}
