// Package seal owns the secrets of the service: what is encrypted at rest, the
// pseudonyms that join records without naming anybody, and how keys are rotated.
//
// The rooms seal before they store and open after they load, so a storage
// adapter only ever sees ciphertext and pseudonyms. Two kinds of key live in one
// keyset:
//
//   - sealing keys (a Tink AEAD keyset, AES-256-GCM) encrypt contact details and
//     free text. They rotate: a new primary seals, older keys still open, and a
//     sweep re-seals what [Keys.Stale] finds, after which [Keys.Retire] drops a key;
//   - two stable keys make pseudonyms and token hashes. They never rotate, because
//     a new one would cut every join and make every outstanding link a stranger.
//
// Whoever holds the keyset string can read everything: it is cleartext, and is
// protected by where it is kept (a secret store, a file of mode 0600), not by
// itself. [Keys] prints itself masked.
package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"victimvoice/internal/fault"
)

// ErrOpen is in the chain of every error from [Keys.Open]: the bytes were not
// sealed by a key of this keyset, for this purpose, or have been altered. It does
// not say which, since the cipher cannot tell.
var ErrOpen = errors.New("sealed data does not open with these keys for this purpose")

const (
	keysetPrefix  = "vvkeys1_" // lets secret scanners and people recognise the string
	stableKeySize = 32
	pseudonymSize = 26 // base32 characters: 130 bits
	tinkPrefix    = 0x01
	prefixSize    = 5 // Tink's output prefix: one version byte, four of key id
	masked        = "seal.Keys(masked)"
)

// lower is RFC 4648 base32 in lower case: letters and the digits 2 to 7, safe in
// URLs, file names and case-insensitive stores alike.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// KeyID names one sealing key of a keyset. It is no secret.
type KeyID uint32

// String gives the id as eight hexadecimal digits.
func (id KeyID) String() string { return fmt.Sprintf("%08x", uint32(id)) }

// Keys seals, opens and makes pseudonyms. It is immutable and safe for use by many
// goroutines. The zero value is of no use; see [Parse].
type Keys struct {
	handle *keyset.Handle
	aead   tink.AEAD
	stable []byte // pseudonyms and sub-keys
	tokens []byte // token hashes
}

// stored is the serialised keyset.
type stored struct {
	Sealing json.RawMessage `json:"sealing"` // a Tink JSON keyset, in clear
	Stable  []byte          `json:"stable"`
	Tokens  []byte          `json:"tokens"`
}

// NewKeyset makes fresh keys and gives them in serialised form, for [Parse].
func NewKeyset() (string, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("make a sealing key: %w", err)
	}
	return encode(handle, random(stableKeySize), random(stableKeySize))
}

// Parse reads a keyset as [NewKeyset] or [Keys.Rotate] wrote it: the prefixed
// base64 form, or the JSON inside it. Blanks around it are ignored. The error is
// fault.Invalid and never quotes the input.
func Parse(s string) (*Keys, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, fault.New(fault.Invalid, "the keyset is empty; make one with: victimvoice keys new")
	}
	raw := []byte(s)
	if !strings.HasPrefix(s, "{") {
		var err error
		encoded := strings.TrimRight(strings.TrimPrefix(s, keysetPrefix), "=")
		if raw, err = base64.RawURLEncoding.DecodeString(encoded); err != nil {
			// The cause is left out: it could quote a byte of the secret.
			return nil, fault.New(fault.Invalid, "the keyset is neither JSON nor base64; it should begin with %s", keysetPrefix)
		}
	}
	var in stored
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fault.New(fault.Invalid, "the keyset is damaged or cut short: its JSON does not parse")
	}
	if len(in.Stable) != stableKeySize || len(in.Tokens) != stableKeySize || hmac.Equal(in.Stable, in.Tokens) {
		return nil, fault.New(fault.Invalid, "the keyset needs two different stable keys of %d bytes each", stableKeySize)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(in.Sealing)))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the keyset holds no readable sealing keys")
	}
	for _, info := range handle.KeysetInfo().GetKeyInfo() {
		if info.GetOutputPrefixType().String() != "TINK" {
			// Without the prefix a ciphertext would not say which key sealed it.
			return nil, fault.New(fault.Invalid, "sealing key %s has no output prefix", KeyID(info.GetKeyId()))
		}
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the keyset's sealing keys are not for authenticated encryption")
	}
	return &Keys{handle: handle, aead: primitive, stable: in.Stable, tokens: in.Tokens}, nil
}

func encode(handle *keyset.Handle, stable, tokens []byte) (string, error) {
	var sealing bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&sealing)); err != nil {
		return "", fmt.Errorf("write the sealing keys: %w", err)
	}
	raw, err := json.Marshal(stored{Sealing: sealing.Bytes(), Stable: stable, Tokens: tokens})
	if err != nil {
		return "", fmt.Errorf("write the keyset: %w", err)
	}
	return keysetPrefix + base64.RawURLEncoding.EncodeToString(raw), nil
}

// Purpose names what a ciphertext is for: collection, row, field. Sealed bytes
// moved to another row or field do not open there. The parts are length-prefixed,
// so that ("ab","c") and ("a","bc") are two purposes.
func Purpose(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(strconv.Itoa(len(p)))
		b.WriteByte(':')
		b.WriteString(p)
	}
	return b.String()
}

// Seal encrypts plaintext for one purpose (see [Purpose]) with the primary key.
// The same plaintext gives other bytes each time. It adds 33 bytes.
func (k *Keys) Seal(purpose string, plaintext []byte) ([]byte, error) {
	if purpose == "" {
		return nil, errors.New("seal: the purpose is empty")
	}
	sealed, err := k.aead.Encrypt(plaintext, []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Open decrypts what Seal made for the same purpose, with whichever key sealed it.
// The error is fault.Internal and wraps [ErrOpen].
func (k *Keys) Open(purpose string, ciphertext []byte) ([]byte, error) {
	plaintext, err := k.aead.Decrypt(ciphertext, []byte(purpose))
	if err != nil {
		id, idErr := SealedBy(ciphertext)
		switch {
		case idErr != nil:
			return nil, fmt.Errorf("open: %w: not sealed data", ErrOpen)
		case !k.Has(id):
			return nil, fmt.Errorf("open: %w: sealed by key %s, which this keyset lacks", ErrOpen, id)
		}
		return nil, fmt.Errorf("open: %w", ErrOpen)
	}
	if plaintext == nil {
		plaintext = []byte{} // an empty text is not an absent one
	}
	return plaintext, nil
}

// SealString seals a text. The empty text seals to nil, so that "nothing there"
// needs no key to see.
func (k *Keys) SealString(purpose, text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	return k.Seal(purpose, []byte(text))
}

// OpenString opens what SealString made; nil opens to the empty text.
func (k *Keys) OpenString(purpose string, ciphertext []byte) (string, error) {
	if len(ciphertext) == 0 {
		return "", nil
	}
	text, err := k.Open(purpose, ciphertext)
	return string(text), err
}

// SealedBy names the key that sealed a ciphertext. It reads the prefix only, so it
// says nothing of whether the bytes are genuine.
func SealedBy(ciphertext []byte) (KeyID, error) {
	if len(ciphertext) <= prefixSize || ciphertext[0] != tinkPrefix {
		return 0, errors.New("not sealed data")
	}
	return KeyID(binary.BigEndian.Uint32(ciphertext[1:prefixSize])), nil
}

// Primary is the key that seals now.
func (k *Keys) Primary() KeyID { return KeyID(k.handle.KeysetInfo().GetPrimaryKeyId()) }

// KeyIDs lists the sealing keys, the oldest first and the primary last.
func (k *Keys) KeyIDs() []KeyID {
	info := k.handle.KeysetInfo()
	ids := make([]KeyID, 0, len(info.GetKeyInfo()))
	for _, key := range info.GetKeyInfo() {
		if key.GetKeyId() != info.GetPrimaryKeyId() {
			ids = append(ids, KeyID(key.GetKeyId()))
		}
	}
	return append(ids, KeyID(info.GetPrimaryKeyId()))
}

// Has reports whether this keyset holds the sealing key.
func (k *Keys) Has(id KeyID) bool { return slices.Contains(k.KeyIDs(), id) }

// Stale reports whether a re-key sweep has work with this ciphertext: it is sealed,
// and not by the primary key. Nil is never stale.
func (k *Keys) Stale(ciphertext []byte) bool {
	if len(ciphertext) == 0 {
		return false
	}
	id, err := SealedBy(ciphertext)
	return err != nil || id != k.Primary()
}

// Reseal opens a stale ciphertext and seals it with the primary key. What is not
// stale comes back as it is, with false.
func (k *Keys) Reseal(purpose string, ciphertext []byte) (resealed []byte, changed bool, err error) {
	if !k.Stale(ciphertext) {
		return ciphertext, false, nil
	}
	plaintext, err := k.Open(purpose, ciphertext)
	if err != nil {
		return nil, false, fmt.Errorf("reseal: %w", err)
	}
	if resealed, err = k.Seal(purpose, plaintext); err != nil {
		return nil, false, fmt.Errorf("reseal: %w", err)
	}
	return resealed, true, nil
}

// Rotate gives a serialised keyset with a new primary sealing key; every older key
// still opens, and the stable keys are the same. k itself is unchanged. All
// replicas must hold the new keyset before the first one seals with it; until then
// the others report the missing key by its id.
func (k *Keys) Rotate() (string, error) {
	manager := keyset.NewManagerFromHandle(k.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", fmt.Errorf("rotate: %w", err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return "", fmt.Errorf("rotate: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return "", fmt.Errorf("rotate: %w", err)
	}
	return encode(handle, k.stable, k.tokens)
}

// Retire gives a serialised keyset without one older sealing key. Only after a
// sweep has found nothing more sealed by it: whatever still is, is lost. The
// primary cannot be retired (fault.Conflict); an unknown key is fault.NotFound.
func (k *Keys) Retire(id KeyID) (string, error) {
	if id == k.Primary() {
		return "", fault.New(fault.Conflict, "key %s is the primary; rotate first, then retire it", id)
	}
	if !k.Has(id) {
		return "", fault.New(fault.NotFound, "this keyset has no sealing key %s", id)
	}
	manager := keyset.NewManagerFromHandle(k.handle)
	if err := manager.Delete(uint32(id)); err != nil {
		return "", fmt.Errorf("retire: %w", err)
	}
	handle, err := manager.Handle()
	if err != nil {
		return "", fmt.Errorf("retire: %w", err)
	}
	return encode(handle, k.stable, k.tokens)
}

// Pseudonym gives the stable name by which records about the same thing are
// joined: 26 characters of lower-case base32 (130 bits of HMAC-SHA-256). The domain
// keeps joins apart that must not be made: the same address is one pseudonym as a
// contact and another as an advocate. It never changes, whatever is rotated.
func (k *Keys) Pseudonym(domain string, parts ...string) string {
	return lower.EncodeToString(keyed(k.stable, "pseudonym", domain, parts...))[:pseudonymSize]
}

// EmailKey is the pseudonym of an email address in a domain, after
// [NormaliseEmail], so that one mailbox has one key however it was typed. A blank
// address gives the empty string, which is nobody's key.
func (k *Keys) EmailKey(domain, email string) string {
	email = NormaliseEmail(email)
	if email == "" {
		return ""
	}
	return k.Pseudonym(domain, email)
}

// AdvocateKey is the pseudonym by which a case names its advocate and an advocate
// finds their cases. A blank address gives the empty string, which matches nobody.
func (k *Keys) AdvocateKey(email string) string { return k.EmailKey("advocate", email) }

// TokenHash is what is kept of a secret that somebody carries (a link, a session, a
// receipt code): 52 characters from which the secret cannot be found, even with the
// database in hand, and which differ from one domain to the next.
func (k *Keys) TokenHash(domain, token string) string {
	return lower.EncodeToString(keyed(k.tokens, "token", domain, token))
}

// Subkey derives a 32-byte key for another use, such as the audit chain. It is as
// stable as the pseudonyms.
func (k *Keys) Subkey(domain string) []byte {
	key, err := hkdf.Key(sha256.New, k.stable, nil, "victimvoice/subkey/"+domain, stableKeySize)
	if err != nil {
		// Only a length beyond 255 hashes or a FIPS-short key fails; ours are constants.
		panic("seal: derive a sub-key: " + err.Error())
	}
	return key
}

// Fingerprint is a short public name of the stable keys, to be kept with the data
// and compared at start: another fingerprint means that the wrong keyset has been
// mounted and every join would silently miss. Rotation does not change it.
func (k *Keys) Fingerprint() string {
	sum := sha256.New()
	sum.Write(keyed(k.stable, "fingerprint", ""))
	sum.Write(keyed(k.tokens, "fingerprint", ""))
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// keyed is HMAC-SHA-256 over length-prefixed parts.
func keyed(key []byte, use, domain string, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	var size [8]byte
	write := func(s string) {
		binary.BigEndian.PutUint64(size[:], uint64(len(s)))
		mac.Write(size[:])
		_, _ = io.WriteString(mac, s) // a hash never fails to write
	}
	write(use)
	write(domain)
	for _, p := range parts {
		write(p)
	}
	return mac.Sum(nil)
}

// random gives n bytes from the system's generator, which does not fail: the
// program ends when it is out of order.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

// String, GoString, LogValue and MarshalJSON keep keys out of logs and dumps.
func (k *Keys) String() string { return masked }

// GoString masks the keys in %#v.
func (k *Keys) GoString() string { return masked }

// Format masks the keys in every other verb.
func (k *Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// LogValue masks the keys in structured logs.
func (k *Keys) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON masks the keys in JSON.
func (k *Keys) MarshalJSON() ([]byte, error) { return json.Marshal(masked) }
