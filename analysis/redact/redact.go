// Package redact owns taking out of a text what could show who somebody is:
// names, addresses, numbers and references. Recall comes first: a word too many
// is a smaller fault than a name too few, and a person confirms any quotation
// before it is published.
package redact

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The types of redaction; each stands in brackets in the redacted text.
const (
	Name      = "name"
	Address   = "address"
	Postcode  = "postcode"
	Phone     = "phone"
	Email     = "email"
	Handle    = "handle"
	URL       = "url"
	Birth     = "date of birth"
	Plate     = "number plate"
	Officer   = "officer number"
	Reference = "reference"
)

// Redaction is one place that was taken out: UTF-8 byte offsets into the
// original text, half-open.
type Redaction struct {
	Type  string `json:"type"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// rule finds one type. group is the part of the match to take out; keep, if set,
// looks at it once more.
type rule struct {
	kind  string
	re    *regexp.Regexp
	group int
	keep  func(text string, start, end int) bool
}

const (
	word     = `\p{Lu}[\p{L}'’\-]*`
	fullName = word + `(?:[ \t]+(?:(?:de|van|von|al|el|bin|ibn|der|la|le)[ \t]+)?` + word + `){0,2}`
)

var rules = []rule{
	{kind: URL, re: regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>\[\]]+[^\s<>\[\].,;:!?)'"]`)},
	{kind: Email, re: regexp.MustCompile(`(?i)[\p{L}\p{N}._%+'\-]+@[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)+`)},
	{kind: URL, re: regexp.MustCompile(`(?i)\b(?:[a-z0-9\-]+\.)+(?:com|org|net|co\.uk|org\.uk|gov\.uk|ac\.uk|uk|io|me|tv)(?:/[^\s<>\[\]]*)?\b`)},
	{kind: Handle, re: regexp.MustCompile(`(?:^|[^\p{L}\p{N}@/])(@[\p{L}\p{N}_][\p{L}\p{N}_.]{1,29})`), group: 1},
	{kind: Handle, re: regexp.MustCompile(`(?i)\b(?:username|user name|handle|insta(?:gram)?|snap(?:chat)?|tiktok|facebook|twitter)(?:\s+(?:name|account|handle|profile|is|was|called|as))+\s*[:=]?\s*["“']?([\p{L}\p{N}_.]*[\p{N}_.][\p{L}\p{N}_.]*[\p{L}\p{N}_])`), group: 1},
	{kind: Birth, re: regexp.MustCompile(`(?i)\b(?:d\.?o\.?b\.?|date of birth|born(?:\s+on)?|birthday(?:\s+is)?)\s*(?:is|was|:|-)?\s*(?:the\s+)?(\d{1,2}(?:st|nd|rd|th)?[\s./\-]+(?:of\s+)?(?:\d{1,2}|jan\w*|feb\w*|mar\w*|apr\w*|may|jun\w*|jul\w*|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*)(?:[\s./\-]+\d{2,4})?)`), group: 1},
	{kind: Birth, re: regexp.MustCompile(`\b(?:0?[1-9]|[12]\d|3[01])[./\-](?:0?[1-9]|1[0-2])[./\-](?:19[2-9]\d|20[01]\d)\b`)},
	{kind: Postcode, re: regexp.MustCompile(`(?i)\b(?:[a-z]{1,2}\d[a-z\d]?\s*\d[abd-hjlnp-uw-z]{2}|gir\s*0aa)\b`)},
	{kind: Reference, re: regexp.MustCompile(`(?i)\b(?:crime|case|incident|cad|crn|urn|ref(?:erence)?|log|custody|chs|cris|crimint)(?:\s+(?:ref(?:erence)?|number|no|num|id))*\.?\s*(?:is|was|:|#|-)?\s*([a-z]{0,4}[\s/\-]?\d[\d/\-\p{L}]{3,})`), group: 1},
	{kind: Reference, re: regexp.MustCompile(`(?i)\b\d{2}[/\-]\d{4,7}[/\-]\d{2}\b|\b\d{6,7}/\d{2}\b`)},
	{kind: Officer, re: regexp.MustCompile(`(?i)\b(?:officer|pc|dc|ds|di|ps|sgt|sergeant|constable|pcso|wpc|warrant|badge|collar|shoulder)\.?(?:\s+(?:number|no|num|id))*\.?\s*[:#]?\s*((?:[a-z]{0,3}\s?)?\d{2,6}(?:\s?[a-z]{1,3}\b)?)`), group: 1},
	{kind: Phone, re: regexp.MustCompile(`(?:\+|\b00)\d{1,3}[\s.\-]?(?:\(0\)[\s.\-]?)?(?:\d[\s.\-]?){7,11}\d\b|\(?\b0\d{2,4}\)?(?:[\s.\-]?\d){5,8}\b`), keep: notHelpline},
	{kind: Plate, re: regexp.MustCompile(`(?i)\b[a-z]{2}\d{2}\s?[a-z]{3}\b`)},
	{kind: Plate, re: regexp.MustCompile(`\b[A-Z]\d{1,3}\s?[A-Z]{3}\b|\b[A-Z]{3}\s?\d{1,3}[A-Z]\b`)},
	{kind: Address, re: regexp.MustCompile(`(?i)\b(?:(?:flat|apartment|unit|room)\s+\d+\p{L}?,?\s+)?\d{1,4}\p{L}?,?\s+(?:[\p{L}'’\-]+\s+){1,3}(?:street|st|road|rd|avenue|ave|lane|ln|close|drive|dr|gardens|court|crescent|terrace|place|way|square|hill|grove|mews|park|row|walk|rise|green|house|parade|broadway)\b`)},
	{kind: Address, re: regexp.MustCompile(`(?i)\b(?:flat|apartment)\s+\d+\p{L}?\b`)},
	{kind: Address, re: regexp.MustCompile(`\b(?:[A-Z][\p{L}'’\-]+\s+){1,2}(?:Street|Road|Avenue|Lane|Close|Drive|Gardens|Crescent|Terrace|Square|Grove|Mews|Estate)\b`)},
	{kind: Name, re: regexp.MustCompile(`(?i:\b(?:mr|mrs|ms|miss|mx|dr|prof|sir|lady|judge|pc|dc|ds|di|dci|dcs|dsu|ps|wpc|pcso|sgt|sergeant|inspector|insp|constable|detective|officer|superintendent|supt|commander)\b)\.?[ \t]+(` + fullName + `)`), group: 1, keep: notCommon},
	{kind: Name, re: regexp.MustCompile(`(?i:\b(?:mr|mrs|ms|miss|pc|dc|ds|di|sgt)\b)\.?[ \t]+(\p{Ll}[\p{Ll}'’\-]{2,})`), group: 1, keep: notCommonLower},
	{kind: Name, re: regexp.MustCompile(`(?i:\b(?:name(?:d|\s+is|\s+was|'s)?|called|known\s+as|aka|ex|ex-?partner|partner|husband|wife|boyfriend|girlfriend|son|daughter|brother|sister|mum|mother|dad|father|friend|neighbour|cousin|uncle|aunt|auntie|boss|manager|advocate|idva|colleague|caseworker|worker|officer|solicitor|barrister|stalker|him|her)\b)[,:]?[ \t]+(?:(?i:is|was|called|named)[ \t]+)?(` + fullName + `)`), group: 1, keep: notCommon},
	{kind: Name, re: regexp.MustCompile(`\b(\p{Lu}\p{Ll}+[ \t]+\p{Lu}[\p{Ll}'’\-]+)\b`), group: 1, keep: startsWithGivenName},
	{kind: Name, re: regexp.MustCompile(`\b(\p{Lu}\p{Ll}+)(?:['’]s)?\b`), group: 1, keep: isGivenName},
	{kind: Name, re: regexp.MustCompile(`(?:^|[^\p{L}])(\p{Ll}{3,})\b`), group: 1, keep: isLowerGivenName},
}

// helplines are numbers of services, which help a reader and show nobody.
var helplines = []string{"08088020300", "08082000247", "0800555111", "116123", "03000200000", "08088020900"}

func notHelpline(text string, start, end int) bool {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, text[start:end])
	return !slices.Contains(helplines, digits)
}

// Redact takes out of a text what could show who somebody is. The text that is
// given back has a bracketed type in each place, and redacting it again changes
// nothing. Invalid UTF-8 is left as it is. The redactions are in order and do not overlap.
func Redact(text string) (string, []Redaction) {
	found := find(text)
	if len(found) == 0 {
		return text, []Redaction{}
	}
	var b strings.Builder
	at := 0
	for _, r := range found {
		b.WriteString(text[at:r.Start])
		b.WriteString("[" + r.Type + "]")
		at = r.End
	}
	b.WriteString(text[at:])
	return b.String(), found
}

func find(text string) []Redaction {
	masked := brackets.FindAllStringIndex(text, -1) // what was redacted before stays as it is
	var found []Redaction
	for _, r := range rules {
		for _, m := range r.re.FindAllStringSubmatchIndex(text, -1) {
			start, end := m[2*r.group], m[2*r.group+1]
			for end > start && unicode.IsSpace(rune(text[end-1])) && text[end-1] < utf8.RuneSelf {
				end--
			}
			if start < 0 || start == end || r.keep != nil && !r.keep(text, start, end) {
				continue
			}
			if inside(masked, start, end) {
				continue
			}
			found = append(found, Redaction{Type: r.kind, Start: start, End: end})
		}
	}
	return settle(found)
}

var brackets = regexp.MustCompile(`\[(?:name|address|postcode|phone|email|handle|url|date of birth|number plate|officer number|reference)\]`)

func inside(spans [][]int, start, end int) bool {
	return slices.ContainsFunc(spans, func(s []int) bool { return start < s[1] && s[0] < end })
}

// settle joins overlapping redactions: the earlier rule's type, the union of the places.
func settle(found []Redaction) []Redaction {
	slices.SortStableFunc(found, func(a, b Redaction) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return b.End - a.End
	})
	var out []Redaction
	for _, r := range found {
		if n := len(out); n > 0 && r.Start < out[n-1].End {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}
