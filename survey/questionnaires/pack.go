package questionnaires

import (
	"encoding/binary"
	"math/bits"
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
		ans := a[it.ID].through()
		if int(ans.State) >= len(stateWords) {
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
	var chosen uint64
	for _, c := range a.Choices {
		i := slices.IndexFunc(it.Options, func(o Option) bool { return o.Code == c })
		if i < 0 {
			return
		}
		chosen |= 1 << i
	}
	if a.State == Answered && chosen == 0 {
		return
	}
	b[0] = byte(a.State)
	binary.LittleEndian.PutUint64(b[1:], chosen)
}

// Unpack reads what Pack wrote for the same questionnaire. Items not reached
// are left out; choices come back in the order of the options; free text comes
// back as its state alone. Anything else is fault Invalid.
func (q *Questionnaire) Unpack(b []byte) (Answers, error) {
	a := make(Answers, len(q.Items))
	err := q.Each(b, func(it *Item, state State, option int, chosen uint64) {
		ans := Answer{State: state}
		switch {
		case option >= 0:
			ans.Choice = it.Options[option].Code
		case chosen != 0:
			ans.Choices = it.Chosen(chosen)
		}
		a[it.ID] = ans
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Each reads packed answers item by item without building them, for whoever
// counts millions: f is called for every item reached, in order, with its
// state, the index of the option chosen (-1 when none is, or the item is not
// single) and the bits of the options chosen at a multi item. The refusals are
// those of Unpack; f may have been called before one is found.
func (q *Questionnaire) Each(b []byte, f func(it *Item, state State, option int, chosen uint64)) error {
	if len(b) < packHeader || b[0] != packFormat {
		return fault.New(fault.Invalid, "these are not packed answers")
	}
	if b[1] != packStage(q.Stage) || int(binary.BigEndian.Uint16(b[2:])) != q.Version {
		return fault.New(fault.Invalid, "these answers belong to another questionnaire than %s", q.ID)
	}
	if len(b) != q.size {
		return fault.New(fault.Invalid, "packed answers to %s hold %d bytes, not %d", q.ID, q.size, len(b))
	}
	for i := range q.Items {
		it := &q.Items[i]
		state, option, chosen, ok := it.unpack(b[it.at:])
		if !ok {
			return fault.New(fault.Invalid, "packed answers to %s: %s cannot be read", q.ID, it.ID)
		}
		if state != NotReached {
			f(it, state, option, chosen)
		}
	}
	return nil
}

// Chosen gives the codes of the options that Each reports as bits.
func (it *Item) Chosen(bitset uint64) []string {
	codes := make([]string, 0, bits.OnesCount64(bitset))
	for i := range it.Options {
		if bitset&(1<<i) != 0 {
			codes = append(codes, it.Options[i].Code)
		}
	}
	return codes
}

// unpack reads the bytes of one item at the head of b. Not ok is what Pack
// never writes.
func (it *Item) unpack(b []byte) (state State, option int, chosen uint64, ok bool) {
	if it.Kind == Single && b[0] >= packOption {
		option = int(b[0]) - packOption
		if option >= len(it.Options) {
			return NotReached, -1, 0, false
		}
		return it.Options[option].State, option, 0, true
	}
	state = State(b[0])
	if int(state) >= len(stateWords) {
		return NotReached, -1, 0, false
	}
	switch it.Kind {
	case Single:
		ok = state != Answered
	case Multi:
		chosen = binary.LittleEndian.Uint64(b[1:multiSize])
		ok = it.couldChoose(state, chosen)
	case Words:
		ok = true
	}
	return state, -1, chosen, ok
}

// couldChoose reports whether a multi item can have this state with these options.
func (it *Item) couldChoose(state State, chosen uint64) bool {
	if chosen == 0 {
		return state != Answered
	}
	if len(it.Options) < maxOptions && chosen>>len(it.Options) != 0 {
		return false
	}
	want := Answered
	for rest := chosen; rest != 0; rest &= rest - 1 {
		o := &it.Options[bits.TrailingZeros64(rest)]
		if o.Exclusive && chosen&(chosen-1) != 0 {
			return false
		}
		if o.State != Answered {
			want = o.State
		}
	}
	return state == want
}
