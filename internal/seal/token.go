package seal

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"victimvoice/internal/fault"
)

const (
	tokenBytes = 20 // 160 bits, exactly 32 base32 characters: no padding, no slack bits
	groupSize  = 4
	maxGroups  = 7 // 28 symbols: the check tells up to 31 places apart
)

// TokenLength is the length of every token that [NewToken] makes.
const TokenLength = 32

// NewToken makes a secret for a link, a session or an API key: 160 random bits as 32
// characters, lower-case letters and the digits 2 to 7.
func NewToken() string { return lower.EncodeToString(random(tokenBytes)) }

// symbols is Crockford's base32: no I, L, O (they look like 1 and 0) and no U.
const symbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewCode makes a code that a person can keep on paper and read aloud: groups of
// four Crockford base32 symbols joined by hyphens, such as 7KQ2-M0XD-94TR-E5WA. The
// last symbol is a check over the others, so a code of n groups carries 5·(4n−1)
// random bits (four groups: 75). Fewer than two groups are taken as two, more than seven
// as seven.
func NewCode(groups int) string {
	groups = min(max(groups, 2), maxGroups)
	values := make([]byte, groups*groupSize)
	for i, b := range random(len(values) - 1) {
		values[i] = b & 31
	}
	values[len(values)-1] = check(values[:len(values)-1])
	return group(values)
}

// NormaliseCode reads a code as a person types it: small letters, blanks, hyphens
// and dashes anywhere, O for 0, I or L for 1, full-width letters. It gives the form
// that [NewCode] made, which is the one to hash. A symbol that is not of the alphabet, a
// wrong length or a failed check is fault.Invalid: one wrong symbol and two
// symbols in each other's place are always noticed.
func NormaliseCode(typed string) (string, error) {
	if len(typed) > 256 {
		return "", errCode()
	}
	var values []byte
	for _, r := range norm.NFKC.String(typed) {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), r == '−', r == '.', r == '_':
			continue
		}
		switch r = unicode.ToUpper(r); r {
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		v := strings.IndexRune(symbols, r)
		if v < 0 {
			return "", errCode()
		}
		values = append(values, byte(v)) //nolint:gosec // G115: an index into 32 symbols
	}
	n := len(values)
	if n < 2*groupSize || n > maxGroups*groupSize || n%groupSize != 0 || check(values[:n-1]) != values[n-1] {
		return "", errCode()
	}
	return group(values), nil
}

func errCode() error {
	return fault.New(fault.Invalid, "that is not one of our codes; please check each letter and number")
}

func group(values []byte) string {
	var b strings.Builder
	for i, v := range values {
		if i > 0 && i%groupSize == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(symbols[v])
	}
	return b.String()
}

// check is the symbol that makes Σ αⁱ·xᵢ zero in the field of 32 elements, counting
// i from the check symbol leftwards. The weights differ at every place and none is
// zero, which is why single errors and swaps cannot cancel out; a mod-37 check as
// Crockford's own would need five more symbols that nobody can read aloud.
func check(values []byte) byte {
	var sum byte
	for _, v := range values { // Horner, then one last multiplication for the check's place
		sum = times(sum) ^ v
	}
	return times(sum)
}

// times multiplies by α = x modulo the primitive polynomial x⁵+x²+1.
func times(v byte) byte {
	v <<= 1
	if v&32 != 0 {
		v ^= 0b100101
	}
	return v
}
