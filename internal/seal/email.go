package seal

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// NormaliseEmail is the one way in which the service writes an email address before
// it is compared or made a pseudonym: no blanks around it or its two parts, Unicode NFKC, lower case,
// and the domain in its ASCII (punycode) form. It does not judge whether the address
// is valid, and never fails: what it cannot read it only trims and folds. Dots and
// plus tags are kept, since they name different mailboxes at most providers.
func NormaliseEmail(email string) string {
	email = strings.TrimSpace(norm.NFKC.String(strings.ToLower(norm.NFKC.String(email))))
	local, domain, ok := cutLast(email, "@")
	if !ok {
		return email
	}
	local = strings.TrimSpace(local)
	domain = strings.TrimFunc(domain, func(r rune) bool { return r == '.' || unicode.IsSpace(r) })
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = strings.Trim(ascii, ".") // other scripts' full stops have become dots
	}
	return local + "@" + domain
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
