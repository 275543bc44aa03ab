package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/secure/precis"

	"victimvoice/internal/fault"
)

// The rules for a password. Length is what counts, so there is no rule about kinds of
// characters, and no forced change (NIST SP 800-63B, 3.1.1).
const (
	MinPasswordLength = 12  // characters, after Unicode normalisation
	MaxPasswordLength = 256 // characters; a passphrase fits, a file does not
)

// PasswordParams are the costs of argon2id.
type PasswordParams struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// Bounds on what a stored hash may ask of us, so that a forged document cannot make a
// sign-in use gigabytes or hours.
const (
	maxMemoryKiB = 256 * 1024
	maxPasses    = 16
	maxLanes     = 16
	saltSize     = 16
	hashSize     = 32
)

// hasher makes and checks argon2id hashes, a few at a time: each takes MemoryKiB, and a
// crowd at the sign-in page must not take the memory of everybody else.
type hasher struct {
	params PasswordParams
	slots  chan struct{}
	decoy  string // checked when there is no hash, so that absence costs the same
}

func newHasher(params PasswordParams) *hasher {
	h := &hasher{params: params, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
	h.decoy = h.format(params, randomBytes(saltSize), randomBytes(hashSize))
	return h
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: the program ends when the generator is out of order
	return b
}

func (h *hasher) format(p PasswordParams, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.MemoryKiB, p.Passes, p.Lanes,
		b64.EncodeToString(salt), b64.EncodeToString(sum))
}

func (h *hasher) derive(ctx context.Context, p PasswordParams, password string, salt []byte) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fault.Wrap(fault.Unavailable, ctx.Err(), "too many people are signing in at once; please try again")
	}
	return argon2.IDKey([]byte(password), salt, p.Passes, p.MemoryKiB, p.Lanes, hashSize), nil
}

// hash gives the PHC string of a normalised password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := randomBytes(saltSize)
	sum, err := h.derive(ctx, h.params, password, salt)
	if err != nil {
		return "", err
	}
	return h.format(h.params, salt, sum), nil
}

// verify reports whether the password is the one hashed, and whether the hash was made
// with other costs than today's. An empty hash matches nothing and takes as long.
func (h *hasher) verify(ctx context.Context, phc, password string) (match, stale bool, err error) {
	absent := phc == ""
	if absent {
		phc = h.decoy
	}
	p, salt, want, err := parsePHC(phc)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, p, password, salt)
	if err != nil {
		return false, false, err
	}
	match = subtle.ConstantTimeCompare(got, want) == 1 && !absent
	return match, p != h.params, nil
}

func parsePHC(phc string) (p PasswordParams, salt, sum []byte, err error) {
	bad := errors.New("stored password hash is not a known argon2id string")
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return p, nil, nil, bad
	}
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Passes, &p.Lanes); n != 3 || err != nil {
		return p, nil, nil, bad
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	sum, sumErr := base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || sumErr != nil || len(salt) < 8 || len(sum) != hashSize ||
		p.Passes < 1 || p.Passes > maxPasses || p.MemoryKiB > maxMemoryKiB || p.Lanes < 1 || p.Lanes > maxLanes {
		return p, nil, nil, bad
	}
	return p, salt, sum, nil
}

// normalPassword is the one form of a password before it is hashed: the OpaqueString
// profile of RFC 8265, which is NFC with one kind of blank, so that the same keys give
// the same password on every machine.
func normalPassword(password string) (string, error) { return precis.OpaqueString.String(password) }

// CheckPassword says whether a password may be used: at least [MinPasswordLength]
// characters, and not one of those tried first. personal holds words of the user's own,
// such as name and address. The error is fault.Invalid on the field "password".
func CheckPassword(password string, personal ...string) error {
	no := func(format string, args ...any) error {
		return fault.Fields("that password cannot be used", fault.Field{Field: "password", Message: fmt.Sprintf(format, args...)})
	}
	normal, err := normalPassword(password)
	switch n := utf8.RuneCountInString(normal); {
	case password == "":
		return no("enter a password of at least %d characters", MinPasswordLength)
	case err != nil || !utf8.ValidString(password):
		return no("use letters, digits, blanks and signs; it holds a character that cannot be typed everywhere")
	case n < MinPasswordLength:
		return no("use at least %d characters; three or four words that have nothing to do with each other are good", MinPasswordLength)
	case n > MaxPasswordLength:
		return no("use at most %d characters", MaxPasswordLength)
	case guessable(normal, personal):
		return no("choose another: this one is easily guessed. Three or four words that have nothing to do with each other are good")
	}
	return nil
}

// tried are the words around which people build the passwords that are guessed first,
// besides those of this service, its place and its time of year.
const tried = `password passwort passw0rd welcome letmein changeme default temporary secret login logon account access
	admin administrator advocate commissioner analyst manager user guest support
	victim victims voice police officer stalking justice london england britain metropolitan metpolice scotlandyard
	iloveyou loveyou football baseball liverpool arsenal chelsea tottenham manchester united everton rangers celtic
	sunshine princess dragon monkey charlie shadow master superman batman pokemon starwars computer internet samsung
	monday tuesday wednesday thursday friday saturday sunday january february march april june july august september
	october november december spring summer autumn winter trustno1 whatever freedom michael jessica ashley daniel
	thomas jordan george oliver hello abc123 qazwsx zaqwsx 1q2w3e4r 1qaz2wsx correcthorsebatterystaple`

// rows are what a hand runs along, a line each.
const rows = `abcdefghijklmnopqrstuvwxyz
01234567890
qwertyuiop
asdfghjkl
zxcvbnm
qwertzuiop
azertyuiop
1qaz2wsx3edc4rfv5tgb6yhn7ujm`

const (
	minDistinct = 5 // different characters in a password
	minRun      = 4 // characters in a row that make a run
	minOwn      = 4 // letters beside the words and runs that everybody knows
	minPersonal = 4 // letters in a word of the user's own for it to count
)

func guessable(password string, personal []string) bool {
	folded := strings.ToLower(password)
	if distinct(folded) < minDistinct || repeats(folded) {
		return true
	}
	words := strings.Fields(tried)
	for _, text := range personal {
		if strings.TrimSpace(text) != "" && folded == strings.ToLower(strings.TrimSpace(text)) {
			return true // the address or name itself, however short its words
		}
		for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) }) {
			if utf8.RuneCountInString(word) >= minPersonal {
				words = append(words, word)
			}
		}
	}
	// Letter for sign, byte for byte, so that places in the one are places in the other.
	plain := strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i").Replace(folded)
	known := make([]bool, len(folded))
	for _, word := range words {
		mark(known, folded, word)
		mark(known, plain, word)
	}
	markRuns(known, folded)
	if !slices.Contains(known, true) {
		return false
	}
	own := 0
	for i, r := range folded {
		if !known[i] && unicode.IsLetter(r) {
			own++
		}
	}
	return own < minOwn
}

// mark notes every place where the word is in s.
func mark(known []bool, s, word string) {
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return
		}
		from += i
		for j := range word {
			known[from+j] = true
		}
		from++
	}
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// repeats reports whether s is one piece over and over, the last one perhaps cut short.
func repeats(s string) bool {
	runes := []rune(s)
	for period := 1; period <= len(runes)/2; period++ {
		if string(runes[period:]) == string(runes[:len(runes)-period]) {
			return true
		}
	}
	return false
}

// markRuns notes stretches along a row, forwards or backwards.
func markRuns(known []bool, s string) {
	for i := 0; i < len(s); {
		n := longestRun(s[i:])
		if n < minRun {
			i++
			continue
		}
		for j := range n {
			known[i+j] = true
		}
		i += n
	}
}

func longestRun(s string) (n int) {
	for n < len(s) && (strings.Contains(rows, s[:n+1]) || strings.Contains(rows, backwards(s[:n+1]))) {
		n++
	}
	return n
}

func backwards(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}
