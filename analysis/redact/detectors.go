package redact

import (
	"regexp"
	"slices"
	"strings"
)

// detector finds one kind by its shape. The first group of the expression that
// took part is what is taken out, or the whole where there is none.
type detector struct {
	kind string
	re   *regexp.Regexp

	// needs holds bytes of which the text must have one for the expression to be
	// worth trying; empty for always.
	needs string

	// hints holds words of which the text in small letters must have one, likewise.
	hints []string

	// refuse says that a finding is not what it looks like.
	refuse func(found string) bool
}

const (
	number = "0123456789"

	months = `(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)`
	date   = `(?:\d{1,2}[ ./-]\d{1,2}[ ./-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th)?(?: of)? ` + months + `,? (?:\d{4}|\d{2})|` + months + ` \d{1,2}(?:st|nd|rd|th)?,? \d{4}|(?:19|20)\d{2})`

	// streets whose name is not also an everyday word, and those that need a number
	streets = `(?:street|road|rd|avenue|ave|lane|drive|crescent|cres|terrace|gardens|gdns|grove|mews|square|parade|boulevard)`
	places  = `(?:st|ln|dr|close|cl|court|ct|way|hill|place|pl|sq|walk|park|row|rise|view|green|house|estate|wharf|quay|path|vale|broadway|buildings|heights|mansions|tower|lodge|villas|cottages?|end|croft|yard)`
	proper  = `\p{Lu}[\p{L}'’]+`
)

// reference is a word with a digit in it, as case and crime numbers are.
const reference = `([a-z]{0,6}[ /:-]?\d[\w/:-]*(?: \d[\w/:-]*)?)`

var detectors = []detector{
	{kind: Email, needs: "@", re: regexp.MustCompile(`(?i)[\p{L}\p{N}._%+'-]+\s?@\s?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+`)},
	{kind: Email, hints: []string{"mail", "outlook", "yahoo", "icloud", "live", "aol", "proton", " dot ", "(dot)"}, re: regexp.MustCompile(`(?i)\b[\w.+-]+ ?(?:\(at\)|\bat\b) ?(?:gmail|hotmail|outlook|yahoo|icloud|live|aol|googlemail|proton(?:mail)?|[\w-]+(?: dot | ?\(dot\) ?)[\w-]+)(?:(?:\.| dot | ?\(dot\) ?)[a-z]{2,})*`),
		refuse: func(s string) bool {
			l := strings.ToLower(s)
			return !strings.Contains(l, "dot") && !strings.Contains(l, ".") && !strings.Contains(l, "(at)")
		}},
	{kind: URL, needs: ":.", re: regexp.MustCompile(`(?i)\b(?:https?://|www\.)[^\s<>"\[\]]*[^\s<>"\[\].,;:!?)'’]`)},
	{kind: URL, needs: ".", re: regexp.MustCompile(`(?i)\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|co\.uk|org|org\.uk|net|info|io|uk|me|tv|app|eu|gov|edu)\b(?:/[^\s<>"\[\]]*[^\s<>"\[\].,;:!?)'’])?`)},
	{kind: Handle, needs: "@", re: regexp.MustCompile(`(?:^|[^\p{L}\p{N}_@])(@[\p{L}\p{N}_][\p{L}\p{N}_.-]+)`)},
	{kind: Handle, hints: []string{"handle", "username", "user name", "screen", "gamertag", "profile name", "account name", "insta", "snap", "tiktok", "twitter"}, re: regexp.MustCompile(`(?i)\b(?:handle|username|user name|screen ?name|gamertag|profile name|account name|insta(?:gram)?(?: name| account| is| was)|snap(?:chat)?(?: name| account| is| was)|tiktok(?: name| account| is| was)|twitter(?: name| account| is| was))(?: is| was| called|:)* ["'“]?([\p{L}\p{N}_.-]*[\d_.][\p{L}\p{N}_.-]*[\p{L}\p{N}_])`)},
	{kind: Handle, needs: "/", re: regexp.MustCompile(`(?i)\bu/[\w-]{3,}`)},
	{kind: DateOfBirth, needs: number, hints: []string{"dob", "d.o", "do.b", "birth", "born"}, re: regexp.MustCompile(`(?i)\b(?:d\.?o\.?b\.?|date of birth|born(?: on| in)?(?: the)?|birthday|birth date|birthdate)(?: is| was|:|-| -| on)*\s*(` + date + `)`)},
	{kind: DateOfBirth, needs: number, re: regexp.MustCompile(`(?i)\b(\d{1,2}[./-]\d{1,2}[./-](?:19\d{2}|200\d|201[0-2])|(?:19\d{2}|200\d|201[0-2])-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th)?(?: of)? ` + months + `,? (?:19\d{2}|200\d|201[0-2]))\b`)},
	{kind: OfficerNumber, needs: number, re: regexp.MustCompile(`(?i)\b(?:pc|dc|ds|di|dci|wpc|pcso|tdc|sgt|sergeant|constable|inspector|officer|detective)(?: constable| sergeant)?(?: number| no\.?| num)?[ :#]*(\d{2,6}(?: ?[a-z]{1,3}\b)?|[a-z]{1,2} ?\d{2,6})\b`), refuse: unitsAfter},
	{kind: OfficerNumber, needs: number, re: regexp.MustCompile(`(?i)\b(?:collar|shoulder|warrant|badge|epaulette|officer)(?:'s)?(?: id| number| no\.?| num| card)+[ :#]*(?:is |was )?([a-z]{0,3} ?\d{2,7}(?: ?[a-z]{1,3})?)\b`)},
	{kind: OfficerNumber, needs: number, re: regexp.MustCompile(`\b(\d{3,5}[A-Z]{2})\b`)},
	{kind: CrimeReference, needs: number, re: regexp.MustCompile(`(?i)\b(?:crime|case|incident|log|report|police|occurrence|court|urn|investigation|complaint)[ -]?(?:reference|ref|number|numbers|no|num|id|log|urn)\.?(?: number| no\.?)?(?: is| was|:|#| -|=)*\s*` + reference)},
	{kind: CrimeReference, needs: number, re: regexp.MustCompile(`(?i)\b(?:reference|ref|cad|cris|urn|niche|athena|connect)\.?(?: number| no\.?)?(?: is| was|:|#| -|=)*\s*` + reference)},
	{kind: CrimeReference, needs: number, re: regexp.MustCompile(`\b(\d{6,8}/\d{2,4}|\d{2}/\d{4,8}/\d{2}|[A-Z]{2,5}[-/]\d{4,}[-/]\d{2,4}|\d{2}[A-Z]{2}\d{7,9}|[A-Z]{2,3}\d{7,12}|\d{1,5}/\d{2}[A-Z]{3}\d{2,4})\b`)},
	{kind: Phone, needs: number, re: regexp.MustCompile(`(?:\+|\b00)[ ]?\d(?:[ ().-]{0,2}\d){7,14}`), refuse: helpline},
	{kind: Phone, needs: number, re: regexp.MustCompile(`(?:\(0\d{2,4}\)|\b0\d{2,4})(?:[ .\-/]{0,2}\d){5,9}\b`), refuse: helpline},
	{kind: Phone, needs: number, re: regexp.MustCompile(`\b\(?0(?:[ ().-]{0,2}\d){8,10}\b`), refuse: helpline},
	{kind: Phone, needs: number, re: regexp.MustCompile(`(?i)\b(?:phone|mobile|mob|tel|telephone|landline|number|whatsapp|call|ring|text)(?: me| him| her| us)?(?: number| no\.?)?(?: on| is| was| at|:)* *((?:\d[ .-]?){5,13}\d)\b`), refuse: helpline},
	{kind: Phone, needs: number, re: regexp.MustCompile(`\b7\d{3}[ -]?\d{3}[ -]?\d{3}\b`), refuse: helpline},
	{kind: Plate, needs: number, re: regexp.MustCompile(`(?i)\b[a-z]{2}\d{2} ?[a-z]{3}\b`), refuse: everydayPlate},
	{kind: Plate, needs: number, re: regexp.MustCompile(`\b(?:[A-Z]\d{1,3} ?[A-Z]{3}|[A-Z]{3} ?\d{1,3}[A-Z])\b`)},
	{kind: Plate, needs: number, re: regexp.MustCompile(`(?i)\b(?:number ?plate|plate|reg(?:istration)?)(?: number| no\.?| plate)?(?: is| was|:| of)* ((?:[a-z]{1,3} ?\d{1,4}(?: ?[a-z]{1,3})?|\d{1,4} ?[a-z]{1,3}))\b`)},
	{kind: Postcode, needs: number, re: regexp.MustCompile(`(?i)\b(?:gir ?0aa|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2})\b`)},
	{kind: Postcode, needs: number, re: regexp.MustCompile(`\b(?:BR|CR|DA|EN|HA|IG|KT|NW|RM|SE|SM|SW|TN|TW|UB|WC|WD|EC|N|E|W)\d{1,2}[A-Z]?\b`)},
	{kind: Address, needs: number, re: regexp.MustCompile(`(?i)\b(?:flat|apartment|apt|maisonette)\.? (?:\d{1,4}[a-z]?|[a-z])\b(?:,? \d{1,4}[a-z]?,?(?: [\p{L}'’]+){1,3}? (?:` + streets + `|` + places + `)\b)?`)},
	{kind: Address, needs: number, re: regexp.MustCompile(`(?i)\b\d{1,4}[a-z]?(?:-\d{1,4})?,?(?: (?:[\p{L}][\p{L}'’.]+)){1,3}? ` + streets + `\b`), refuse: countOf},
	{kind: Address, needs: number, re: regexp.MustCompile(`\b\d{1,4}[A-Za-z]?(?:-\d{1,4})?,?(?: ` + proper + `){1,3} (?i:` + places + `)\b`)},
	{kind: School, hints: []string{"school", "academy", "college", "nursery", "university", "sixth form", "uni"}, re: regexp.MustCompile(`\b(` + proper + `(?: (?:` + proper + `|of|and|the|&)){0,4}(?:(?: (?i:primary|infants?|juniors?|secondary|high|grammar|comprehensive|community|boys|girls|church))* (?i:school|academy|college|nursery|university|sixth form)))\b`), refuse: publicBody},
	{kind: School, hints: []string{"university", "college"}, re: regexp.MustCompile(`\b(?:University|College|School) (?:of|for) (?:the )?(` + proper + `(?: ` + proper + `){0,2})`)},
	{kind: Employer, hints: []string{"work", "job", "employ", "shift", "manager at", "boss at", "colleagues at", "office at", "my firm", "company"}, re: regexp.MustCompile(`\b(?i:work(?:s|ed|ing)? (?:at|for|in)|jobs? (?:at|with)|employed (?:at|by)|employer,?|shifts? (?:at|in)|manager (?:at|of)|boss (?:at|of)|colleagues? (?:at|from)|office at|firm,|company,|workplace,?)(?: (?i:the|a|is|called|big))* (\p{Lu}[\p{L}\d&'’.-]*(?: (?:\p{Lu}[\p{L}\d&'’.-]*|and|&|of))*(?: \p{Lu}[\p{L}\d&'’-]*)?)`), refuse: publicBody},
	{kind: Address, hints: []string{"street", "road", "rd", "ave", "lane", "drive", "cres", "terrace", "gardens", "gdns", "grove", "mews", "square", "parade", "boulevard", "close"}, re: regexp.MustCompile(`\b(?:` + proper + ` ){1,3}(?:Street|Road|Rd|Avenue|Ave|Lane|Drive|Crescent|Terrace|Gardens|Gdns|Grove|Mews|Square|Parade|Boulevard|Close)\b`)},
}

// publicBody refuses what is called an employer and is a service, a place in
// time, or a word that only begins a sentence.
func publicBody(found string) bool {
	first, _, _ := strings.Cut(strings.ToLower(found), " ")
	return everyday[strings.Trim(first, ".,'’")]
}

// helpline refuses the free and shared-cost numbers of public helplines, which
// are nobody's own.
func helpline(found string) bool {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, found)
	for _, p := range []string{"0800", "0808", "0300", "0303", "0330", "0333", "0345", "116"} {
		if strings.HasPrefix(digits, p) {
			return true
		}
	}
	return false
}

// unitsAfter refuses a number that counts time or people: "officer 2 weeks".
func unitsAfter(found string) bool {
	f := strings.Fields(strings.ToLower(found))
	return len(f) > 1 && (f[1] == "am" || f[1] == "pm" || f[1] == "i" || f[1] == "a" || f[1] == "on" || f[1] == "in" || f[1] == "of" || f[1] == "to" || f[1] == "or")
}

// everydayPlate refuses what looks like a plate and reads as words: "in 19 and".
func everydayPlate(found string) bool {
	l := strings.ToLower(found)
	if l == found && strings.Contains(l, " ") {
		switch l[:2] {
		case "in", "on", "at", "of", "to", "is", "by", "my", "or", "so", "up", "we", "he", "me", "us", "no", "an", "as", "be", "do", "go", "if", "it":
			return true
		}
	}
	return false
}

// countOf refuses a street that is counted rather than numbered: "2 miles down
// the road".
func countOf(found string) bool {
	for _, w := range strings.Fields(strings.ToLower(found)) {
		switch strings.Trim(w, ",.") {
		case "the", "my", "his", "her", "our", "a", "miles", "minutes", "doors", "times", "on", "in", "down", "up", "of", "from", "and", "to", "streets", "roads", "same", "that":
			return true
		}
	}
	return false
}

// find adds what the detector finds in the text; lower is the text in small
// letters.
func (d *detector) find(text, lower string, into []Redaction) []Redaction {
	if d.needs != "" && !strings.ContainsAny(text, d.needs) {
		return into
	}
	if len(d.hints) > 0 && !slices.ContainsFunc(d.hints, func(h string) bool { return strings.Contains(lower, h) }) {
		return into
	}
	for _, loc := range d.re.FindAllStringSubmatchIndex(text, -1) {
		start, end := loc[0], loc[1]
		if len(loc) > 2 && loc[2] >= 0 {
			start, end = loc[2], loc[3]
		}
		if d.refuse != nil && d.refuse(text[start:end]) {
			continue
		}
		into = append(into, Redaction{Type: d.kind, Start: start, End: end})
	}
	return into
}
