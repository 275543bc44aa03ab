package seal

import (
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// NormaliseEmail is the one way in which the service writes an email address before
// it is compared or made a pseudonym: no blanks around it, Unicode NFKC, lower case,
// and the domain in its ASCII (punycode) form. It does not judge whether the address
// is valid, and never fails: what it cannot read it only trims and folds. Dots and
// plus tags are kept, since they name different mailboxes at most providers.
func NormaliseEmail(email string) string {
	email = strings.TrimSpace(norm.NFKC.String(strings.ToLower(norm.NFKC.String(email))))
	local, domain, ok := cutLast(email, "@")
	if !ok {
		return email
	}
	domain = strings.TrimSuffix(domain, ".")
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return local + "@" + domain
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
