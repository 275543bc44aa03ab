package seal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

func fresh(t testing.TB) (*seal.Keys, string) {
	t.Helper()
	text, err := seal.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, text), text
}

func parse(t testing.TB, text string) *seal.Keys {
	t.Helper()
	keys, err := seal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestSealOpens(t *testing.T) {
	keys, text := fresh(t)
	again := parse(t, " "+text+"==\n")
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		purpose := seal.Purpose(rapid.String().Draw(t, "collection"), rapid.String().Draw(t, "row"))
		sealed, err := keys.Seal(purpose, plain)
		if err != nil {
			t.Fatal(err)
		}
		if len(sealed) != len(plain)+33 {
			t.Fatalf("%d bytes for %d", len(sealed), len(plain))
		}
		if len(plain) > 8 && bytes.Contains(sealed, plain) {
			t.Fatal("the plaintext shows")
		}
		opened, err := again.Open(purpose, sealed)
		if err != nil || opened == nil || !bytes.Equal(opened, plain) {
			t.Fatalf("Open = %q, %v", opened, err)
		}
	})
}

func TestSameTextSealsDifferently(t *testing.T) {
	keys, _ := fresh(t)
	a, errA := keys.Seal("p", []byte("the same"))
	b, errB := keys.Seal("p", []byte("the same"))
	if errA != nil || errB != nil || bytes.Equal(a, b) {
		t.Errorf("%x %x %v %v", a, b, errA, errB)
	}
}

// Any byte changed, the end cut off, bytes added, another purpose: it does not open.
func TestTampered(t *testing.T) {
	keys, _ := fresh(t)
	purpose := seal.Purpose("contacts", "k1", "email")
	sealed, err := keys.Seal(purpose, []byte("person@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(what, purpose string, ciphertext []byte) {
		t.Helper()
		plain, err := keys.Open(purpose, ciphertext)
		if !errors.Is(err, seal.ErrOpen) || plain != nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %q, %v", what, plain, err)
		}
	}
	for i := range sealed {
		for _, bit := range []byte{1, 0x80} {
			changed := slices.Clone(sealed)
			changed[i] ^= bit
			refuse(fmt.Sprintf("byte %d", i), purpose, changed)
		}
		refuse(fmt.Sprintf("cut at %d", i), purpose, sealed[:i])
	}
	refuse("nil", purpose, nil)
	refuse("longer", purpose, append(slices.Clone(sealed), 0))
	refuse("another row", seal.Purpose("contacts", "k2", "email"), sealed)
	refuse("another field", seal.Purpose("contacts", "k1", "phone"), sealed)
	refuse("another collection", seal.Purpose("users", "k1", "email"), sealed)
	refuse("parts shifted", seal.Purpose("contacts", "k1email"), sealed)
	refuse("no purpose", "", sealed)
	other, _ := fresh(t)
	if _, err := other.Open(purpose, sealed); !errors.Is(err, seal.ErrOpen) || !strings.Contains(err.Error(), keys.Primary().String()) {
		t.Errorf("another keyset should name the key it lacks: %v", err)
	}
	if _, err := keys.Seal("", []byte("x")); err == nil {
		t.Error("sealed for no purpose")
	}
}

func TestPurposeIsInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("a:1")), 0, 4, -1), 0, 4)
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		if (seal.Purpose(a...) == seal.Purpose(b...)) != slices.Equal(a, b) {
			t.Fatalf("%q and %q share a purpose", a, b)
		}
	})
}

func TestStrings(t *testing.T) {
	keys, _ := fresh(t)
	for _, text := range []string{"", "x", "naïve – £5 🙂"} {
		sealed, err := keys.SealString("p", text)
		if err != nil || (text == "") != (sealed == nil) {
			t.Fatalf("%q: %x, %v", text, sealed, err)
		}
		if opened, err := keys.OpenString("p", sealed); err != nil || opened != text {
			t.Errorf("%q opened as %q, %v", text, opened, err)
		}
	}
	if _, err := keys.OpenString("p", []byte("plain text left in the column")); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("opened what was never sealed: %v", err)
	}
}

func TestRotation(t *testing.T) {
	first, _ := fresh(t)
	sealed, err := first.Seal("p", []byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := first.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	second := parse(t, text)
	if first.Primary() == second.Primary() || !slices.Equal(second.KeyIDs(), []seal.KeyID{first.Primary(), second.Primary()}) {
		t.Fatalf("keys %v, then %v", first.KeyIDs(), second.KeyIDs())
	}
	if by, err := seal.SealedBy(sealed); err != nil || by != first.Primary() {
		t.Errorf("SealedBy = %v, %v", by, err)
	}
	if plain, err := second.Open("p", sealed); err != nil || string(plain) != "old" {
		t.Errorf("the old key no longer opens: %q, %v", plain, err)
	}
	if first.Stale(sealed) || !second.Stale(sealed) || second.Stale(nil) || !second.Stale([]byte("junk")) {
		t.Error("Stale is wrong")
	}
	resealed, changed, err := second.Reseal("p", sealed)
	if err != nil || !changed || second.Stale(resealed) {
		t.Fatalf("Reseal: %v, %v", changed, err)
	}
	if same, changed, err := second.Reseal("p", resealed); err != nil || changed || !bytes.Equal(same, resealed) {
		t.Errorf("resealed twice: %v, %v", changed, err)
	}
	if _, _, err := second.Reseal("q", sealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("resealed for another purpose: %v", err)
	}
	if _, err := first.Open("p", resealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("a replica without the new key opened it: %v", err)
	}

	// What must outlive rotation.
	if first.Fingerprint() != second.Fingerprint() || first.Pseudonym("d", "x") != second.Pseudonym("d", "x") ||
		first.TokenHash("d", "x") != second.TokenHash("d", "x") || !bytes.Equal(first.Subkey("audit"), second.Subkey("audit")) {
		t.Error("rotation changed a stable name")
	}

	if _, err := second.Retire(second.Primary()); !fault.Is(err, fault.Conflict) {
		t.Errorf("retired the primary: %v", err)
	}
	if _, err := second.Retire(0); !fault.Is(err, fault.NotFound) {
		t.Errorf("retired nothing: %v", err)
	}
	text, err = second.Retire(first.Primary())
	if err != nil {
		t.Fatal(err)
	}
	third := parse(t, text)
	if _, err := third.Open("p", sealed); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("a retired key opened: %v", err)
	}
	if plain, err := third.Open("p", resealed); err != nil || string(plain) != "old" {
		t.Errorf("after retiring: %q, %v", plain, err)
	}
}

func TestParseRefuses(t *testing.T) {
	_, good := fresh(t)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(good, "vvkeys1_"))
	if err != nil {
		t.Fatal(err)
	}
	parse(t, string(raw)) // plain JSON is read too
	var fields map[string]any
	if err := json.Unmarshal(raw, &fields); err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) string {
		changed := map[string]any{}
		for k, v := range fields {
			changed[k] = v
		}
		changed[name] = value
		b, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for name, text := range map[string]string{
		"empty":             " \n",
		"not base64":        "vvkeys1_&&&secret&&&",
		"cut short":         good[:len(good)-20],
		"empty JSON":        "{}",
		"short stable key":  with("stable", "AAAA"),
		"no token key":      with("tokens", nil),
		"one key for two":   with("tokens", fields["stable"]),
		"no sealing keys":   with("sealing", map[string]any{}),
		"damaged sealing":   with("sealing", map[string]any{"primaryKeyId": 1, "key": []any{}}),
		"unprefixed cipher": strings.Replace(string(raw), `"TINK"`, `"RAW"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.Parse(text)
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("err = %v", err)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error quotes the keyset: %v", err)
			}
		})
	}
}

func TestKeysPrintMasked(t *testing.T) {
	keys, text := fresh(t)
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, "vvkeys1_"))
	if err != nil {
		t.Fatal(err)
	}
	var in struct{ Stable, Tokens []byte }
	if err := json.Unmarshal(raw, &in); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("start", "keys", keys)
	for _, out := range []string{
		string(asJSON), logged.String(), keys.String(),
		fmt.Sprintf("%v %+v %#v %s %d %x", keys, keys, keys, keys, keys, keys), fmt.Sprintf("%v", struct{ K *seal.Keys }{keys}),
	} {
		for _, secret := range [][]byte{in.Stable, in.Tokens} {
			for _, form := range []string{string(secret), fmt.Sprintf("%v", secret), fmt.Sprintf("%x", secret), base64.StdEncoding.EncodeToString(secret)} {
				if strings.Contains(out, form) {
					t.Errorf("a key shows in %q", out)
				}
			}
		}
	}
	if !strings.Contains(logged.String(), "masked") {
		t.Errorf("logged %s", logged.String())
	}
}

func TestPseudonyms(t *testing.T) {
	keys, _ := fresh(t)
	other, _ := fresh(t)
	all := map[string]string{}
	for name, p := range map[string]string{
		"a":            keys.Pseudonym("case", "met", "123"),
		"shifted":      keys.Pseudonym("case", "met1", "23"),
		"joined":       keys.Pseudonym("case", "met123"),
		"more":         keys.Pseudonym("case", "met", "123", ""),
		"other domain": keys.Pseudonym("person", "met", "123"),
		"domain moved": keys.Pseudonym("casemet", "123"),
		"other keys":   other.Pseudonym("case", "met", "123"),
	} {
		if len(p) != 26 || strings.Trim(p, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Errorf("%s: %q", name, p)
		}
		if with, taken := all[p]; taken {
			t.Errorf("%s is the same as %s", name, with)
		}
		all[p] = name
	}
	if all[keys.Pseudonym("case", "met", "123")] != "a" {
		t.Error("another pseudonym the second time")
	}
	hash := keys.TokenHash("link", "x")
	if len(hash) != 52 || hash == keys.TokenHash("session", "x") || hash == other.TokenHash("link", "x") || hash[:26] == keys.Pseudonym("link", "x") {
		t.Errorf("TokenHash = %q", hash)
	}
	if len(keys.Subkey("a")) != 32 || bytes.Equal(keys.Subkey("a"), keys.Subkey("b")) {
		t.Error("sub-keys")
	}
	if len(keys.Fingerprint()) != 16 || keys.Fingerprint() == other.Fingerprint() {
		t.Errorf("fingerprint %q", keys.Fingerprint())
	}
}

// Pinned: another result here would cut every join in every database there is.
func TestStableNamesNeverChange(t *testing.T) {
	keys := parse(t, pinned)
	for name, got := range map[string][2]string{
		"pseudonym":   {keys.Pseudonym("advocate", "advocate@example.org"), "n5f55ldmrtr5cmkyrhz645b5pk"},
		"token hash":  {keys.TokenHash("link", "abc"), "hoimeybewpbe5i6omv3suj7wokgx3banrb4fhj2cweqk3q4ntsfa"},
		"sub-key":     {fmt.Sprintf("%x", keys.Subkey("audit")), "e98e8b7c7a1e169fba6126f593aa81c8801f28868c70037fe3f6165a2fa8b77b"},
		"fingerprint": {keys.Fingerprint(), "b4f09a7f420c60ae"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s = %s, was %s", name, got[0], got[1])
		}
	}
	if plain, err := keys.Open("1:p", pinnedSealed); err != nil || string(plain) != "hello" {
		t.Errorf("Open = %q, %v", plain, err)
	}
}

func FuzzParse(f *testing.F) {
	_, good := fresh(f)
	f.Add(good)
	f.Add("{}")
	f.Add("vvkeys1_")
	f.Fuzz(func(t *testing.T, text string) {
		if keys, err := seal.Parse(text); (keys == nil) == (err == nil) {
			t.Errorf("%v, %v", keys, err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	keys, _ := fresh(f)
	sealed, err := keys.Seal("p", []byte("x"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed[:len(sealed)-1])
	f.Fuzz(func(t *testing.T, ciphertext []byte) {
		if plain, err := keys.Open("q", ciphertext); err == nil {
			t.Errorf("opened %q", plain)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	keys, _ := fresh(b)
	plain := bytes.Repeat([]byte("x"), 1024)
	b.SetBytes(1024)
	for b.Loop() {
		if _, err := keys.Seal("p", plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	keys, _ := fresh(b)
	sealed, err := keys.Seal("p", bytes.Repeat([]byte("x"), 1024))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(1024)
	for b.Loop() {
		if _, err := keys.Open("p", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPseudonym(b *testing.B) {
	keys, _ := fresh(b)
	for b.Loop() {
		keys.Pseudonym("case", "Metropolitan Police", "01/234567/26")
	}
}

// pinned is a keyset made for this test alone; nothing was ever sealed by it but pinnedSealed.
const pinned = "vvkeys1_eyJzZWFsaW5nIjp7InByaW1hcnlLZXlJZCI6MzMwMTE0NDA5Miwia2V5IjpbeyJrZXlEYXRhIjp7InR5cGVVcmwiOiJ0eXBlLmdvb2" +
	"dsZWFwaXMuY29tL2dvb2dsZS5jcnlwdG8udGluay5BZXNHY21LZXkiLCJ2YWx1ZSI6IkdpQ2VoMVFjWVRtaTNlZXJoUXU4a1JpWFVrZHBiTHU4" +
	"WTRJeDJsd1hlcm1DMmc9PSIsImtleU1hdGVyaWFsVHlwZSI6IlNZTU1FVFJJQyJ9LCJzdGF0dXMiOiJFTkFCTEVEIiwia2V5SWQiOjMzMDExND" +
	"QwOTIsIm91dHB1dFByZWZpeFR5cGUiOiJUSU5LIn1dfSwic3RhYmxlIjoiaVB2UXUyTEVldSszbWN5RUh0MU41Z3drWlFNdGtlckgzdE83NE55" +
	"bVl4UT0iLCJ0b2tlbnMiOiJMV1pSN1hHUDdOc2t4Z2RVU2FPZVVoUmwvU1NLMWs3dVQzd0lqWjcrOHBRPSJ9"

var pinnedSealed = []byte("\x01\xc4\xc3\x76\x1c\xe0\x7a\x7f\xa8\x93\x53\xdc\x1c\x8b\xd6\xe5\xbf\xec\x7c\x08\xde\xd5\x45\xb2\xd1\xcc\x1e\x25\x20\x30\xa7\xdc\x03\x2c\xd6\xdb\x62\xc4")
