package redact

import (
	_ "embed" // the lists of names
	"strings"
	"unicode"
	"unicode/utf8"
)

//go:embed given.txt
var givenList string

//go:embed doubtful.txt
var doubtfulList string

//go:embed everyday.txt
var everydayList string

var (
	given    = wordSet(givenList)    // names wherever they stand
	doubtful = wordSet(doubtfulList) // names that are also words
	everyday = wordSet(everydayList) // never names

	// titles announce a name, whatever its case; the name may have three words.
	titles = wordSet(`mr mrs ms miss mx dr pc dc ds di dci dcs wpc pcso tdc tdi tds sgt sergeant insp inspector det detective constable supt superintendent prof professor rev reverend sir lady lord judge cllr councillor`)

	// relations announce a name after them: my ex Mark, her friend called Jo.
	relations = wordSet(`ex ex-partner ex-boyfriend ex-girlfriend ex-husband ex-wife partner boyfriend girlfriend husband wife brother sister son daughter friend mate neighbour cousin uncle aunt auntie mum dad mother father nan stalker
perpetrator suspect colleague boss manager landlord flatmate housemate client advocate idva isva caseworker counsellor officer detective stepdad stepmum fiance fiancé son's daughter's`)

	// namers stand before a name: called Grace.
	namers = wordSet(`called named name's aka alias`)
)

func wordSet(list string) map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(list) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, w := range strings.Fields(line) {
			set[w] = true
		}
	}
	return set
}

// word is one word of the text.
type word struct {
	start, end int
	lower      string
	capital    bool // begins with a capital
	opens      bool // begins a sentence, where a capital says nothing
	held       bool // stands in a placeholder
	joined     bool // only a blank, and perhaps a stop after a title, parts it from the word before
}

// names finds people's names: after titles and relations, from the lists, and
// two capitalised words together inside a sentence.
func names(text string, into []Redaction) []Redaction {
	ws := splitWords(text)
	caps := shouted(ws)
	for i := 0; i < len(ws); i++ {
		w := &ws[i]
		if w.held {
			continue
		}
		n := 0
		switch {
		case i > 0 && titles[ws[i-1].lower] && w.joined && !titles[w.lower] && !everyday[w.lower] && w.long():
			n = 1 + surnames(ws, i, 2, caps)
		case i > 0 && announced(ws, i) && w.long() && !everyday[w.lower] && !titles[w.lower] && !relations[w.lower] && (w.capital && !caps || isGiven(w.lower)):
			n = 1 + surnames(ws, i, 2, caps)
		case givenName(w.lower):
			n = 1 + surnames(ws, i, 2, caps)
		case doubtfulName(w.lower) && w.capital && !caps && (!w.opens || surnames(ws, i, 1, caps) > 0) && !everyday[w.lower]:
			n = 1 + surnames(ws, i, 2, caps)
		case w.capital && !caps && !w.opens && w.long() && !everyday[w.lower] && !titles[w.lower] && surnames(ws, i, 1, caps) > 0:
			n = 1 + surnames(ws, i, 2, caps)
		}
		if n == 0 {
			continue
		}
		into = append(into, Redaction{Type: Name, Start: w.start, End: bare(text, w.start, ws[i+n-1].end)})
		i += n - 1
	}
	return into
}

// givenName and doubtfulName look a word up, with or without the 's of
// possession and with each half of a double name.
func givenName(lower string) bool    { return inList(given, lower) }
func doubtfulName(lower string) bool { return inList(doubtful, lower) }
func isGiven(lower string) bool      { return givenName(lower) || doubtfulName(lower) }

func inList(list map[string]bool, lower string) bool {
	lower = strings.TrimSuffix(strings.TrimSuffix(lower, "'s"), "'")
	if list[lower] {
		return true
	}
	head, tail, ok := strings.Cut(lower, "-")
	return ok && list[head] && (given[tail] || doubtful[tail])
}

// long keeps single letters in: Ms A names nobody.
func (w *word) long() bool { return utf8.RuneCountInString(w.lower) > 1 }

// announced reports whether the words before say that a name follows.
func announced(ws []word, i int) bool {
	if !ws[i].joined {
		return false
	}
	before := ws[i-1].lower
	if relations[before] || namers[before] {
		return true
	}
	return (before == "is" || before == "was") && i > 1 && (ws[i-2].lower == "name" || ws[i-2].lower == "names")
}

// surnames counts the capitalised words after word i that go with it, at most n.
func surnames(ws []word, i, n int, caps bool) int {
	k := 0
	for k < n && i+k+1 < len(ws) && !caps {
		next := &ws[i+k+1]
		if !next.joined || next.held || !next.capital || everyday[next.lower] || titles[next.lower] || !next.long() {
			break
		}
		k++
	}
	return k
}

// shouted reports whether the text is written in capitals throughout, so that
// they tell nothing.
func shouted(ws []word) bool {
	upper, all := 0, 0
	for _, w := range ws {
		if !w.held && w.long() {
			all++
			if w.capital {
				upper++
			}
		}
	}
	return all > 3 && upper*10 > all*8
}

// bare leaves the 's of possession in the text.
func bare(text string, start, end int) int {
	s := text[start:end]
	for _, tail := range []string{"'s", "’s", "'S", "’S", "'", "’"} {
		if strings.HasSuffix(s, tail) && len(s) > len(tail)+1 {
			return end - len(tail)
		}
	}
	return end
}

// splitWords gives the words of a text: letters, with hyphens and apostrophes
// inside them.
func splitWords(text string) []word {
	var ws []word
	kept := placeholders(text)
	opens, joined := true, false
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) {
			switch r {
			case '.':
				title := len(ws) > 0 && ws[len(ws)-1].end == i && titles[ws[len(ws)-1].lower]
				opens, joined = opens || !title, joined && title
			case '!', '?', '\n', '\r', ':', '"', '“':
				opens, joined = true, false
			case ' ', '\t', '\u00a0':
			default:
				joined = false
			}
			i += size
			continue
		}
		start := i
		for i < len(text) {
			r, size = utf8.DecodeRuneInString(text[i:])
			if !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) && !inner(text, i, r, size) {
				break
			}
			i += size
		}
		first, _ := utf8.DecodeRuneInString(text[start:])
		lower := strings.ReplaceAll(strings.ToLower(text[start:i]), "’", "'")
		for len(kept) > 0 && kept[0][1] <= start {
			kept = kept[1:]
		}
		ws = append(ws, word{start: start, end: i, lower: lower, capital: unicode.IsUpper(first), opens: opens, joined: joined,
			held: len(kept) > 0 && kept[0][0] <= start})
		opens, joined = false, true
	}
	return ws
}

// inner reports whether a hyphen or apostrophe stands between letters.
func inner(text string, i int, r rune, size int) bool {
	if r != '-' && r != '\'' && r != '’' {
		return false
	}
	next, _ := utf8.DecodeRuneInString(text[i+size:])
	return unicode.IsLetter(next)
}
