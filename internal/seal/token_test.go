package seal_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestNewToken(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		token := seal.NewToken()
		if len(token) != seal.TokenLength || strings.Trim(token, "abcdefghijklmnopqrstuvwxyz234567") != "" || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
	}
}

func TestCodes(t *testing.T) {
	for groups := range 10 {
		code := seal.NewCode(groups)
		if got := strings.Count(code, "-") + 1; got != min(max(groups, 2), 7) || len(code) != got*5-1 {
			t.Errorf("%d groups: %q", groups, code)
		}
		if again, err := seal.NormaliseCode(code); err != nil || again != code {
			t.Errorf("%q read as %q, %v", code, again, err)
		}
	}
}

func TestNormaliseCode(t *testing.T) {
	const code = "X20T-Q48H-YRTC-2VE1"
	for _, typed := range []string{
		code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), strings.ReplaceAll(code, "-", " "),
		"  " + strings.ReplaceAll(code, "-", " – ") + "\n", strings.ReplaceAll(code, "0", "O"), strings.ReplaceAll(code, "0", "o"),
		strings.ReplaceAll(code, "1", "I"), strings.ReplaceAll(code, "1", "l"), strings.ReplaceAll(code, "0", "０"), strings.ReplaceAll(code, "-", "\u00a0"),
	} {
		if got, err := seal.NormaliseCode(typed); err != nil || got != code {
			t.Errorf("%q read as %q, %v", typed, got, err)
		}
	}
	for _, typed := range []string{
		"", "-", code[:len(code)-1], code + "0", code[5:], strings.Replace(code, code[:1], "U", 1), "0000", "💥" + code,
		strings.Repeat("0", 300),
	} {
		if got, err := seal.NormaliseCode(typed); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q read as %q, %v", typed, got, err)
		}
	}
}

func TestStableCode(t *testing.T) {
	keys, _ := fresh(t)
	other, _ := fresh(t)
	code := keys.Code(4, "receipt", "r1", "x")
	if code != keys.Code(4, "receipt", "r1", "x") {
		t.Error("another code the second time")
	}
	for _, different := range []string{
		keys.Code(4, "receipt", "r1x"), keys.Code(4, "receipt", "r2", "x"), keys.Code(4, "other", "r1", "x"), other.Code(4, "receipt", "r1", "x"),
	} {
		if different == code {
			t.Error("two things share a code")
		}
	}
	for groups := range 10 {
		code := keys.Code(groups, "receipt", "r1")
		if again, err := seal.NormaliseCode(code); err != nil || again != code {
			t.Errorf("%q read as %q, %v", code, again, err)
		}
	}
}

// One symbol misheard, or two in each other's place: always noticed.
func TestCodeChecks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		code := []byte(strings.ReplaceAll(seal.NewCode(rapid.IntRange(2, 7).Draw(t, "groups")), "-", ""))
		i := rapid.IntRange(0, len(code)-1).Draw(t, "i")
		if rapid.Bool().Draw(t, "swap") {
			j := rapid.IntRange(0, len(code)-1).Draw(t, "j")
			if code[i] == code[j] {
				return
			}
			code[i], code[j] = code[j], code[i]
		} else {
			other := crockford[rapid.IntRange(0, 31).Draw(t, "symbol")]
			if code[i] == other {
				return
			}
			code[i] = other
		}
		if _, err := seal.NormaliseCode(string(code)); err == nil {
			t.Fatalf("%s was accepted", code)
		}
	})
}

func TestNormaliseEmail(t *testing.T) {
	for typed, want := range map[string]string{
		"advocate@example.org":         "advocate@example.org",
		"  Advocate@Example.ORG \n":    "advocate@example.org",
		"ADVOCATE@EXAMPLE.ORG.":        "advocate@example.org",
		"first.last+tag@example.org":   "first.last+tag@example.org",
		"re\u0301ne@exa\u0301mple.org": "r\u00e9ne@xn--exmple-qta.org",
		"ａ@example.org":                "a@example.org",
		"person@BÜCHER.example":        "person@xn--bcher-kva.example",
		"no address at all":            "no address at all",
		"":                             "",
		" \u00a0 ":                     "",
	} {
		if got := seal.NormaliseEmail(typed); got != want {
			t.Errorf("%q gives %q, want %q", typed, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		once := seal.NormaliseEmail(rapid.String().Draw(t, "local") + rapid.SampledFrom([]string{"@", "", "＠"}).Draw(t, "at") + rapid.String().Draw(t, "domain"))
		if twice := seal.NormaliseEmail(once); twice != once {
			t.Fatalf("%q, then %q", once, twice)
		}
	})
}

func TestEmailKey(t *testing.T) {
	keys, _ := fresh(t)
	if keys.EmailKey("advocate", " A@Example.org") != keys.EmailKey("advocate", "a@example.org") {
		t.Error("one mailbox, two keys")
	}
	if keys.EmailKey("advocate", "a@example.org") == keys.EmailKey("contact", "a@example.org") {
		t.Error("two domains, one key")
	}
	if key := keys.EmailKey("advocate", "  "); key != "" {
		t.Errorf("nobody has the key %q", key)
	}
}

func FuzzNormaliseCode(f *testing.F) {
	f.Add("X20T-Q48H-YRTC-2VE1")
	f.Add("o1l- 0")
	f.Fuzz(func(t *testing.T, typed string) {
		code, err := seal.NormaliseCode(typed)
		if err != nil {
			return
		}
		if again, err := seal.NormaliseCode(code); err != nil || again != code {
			t.Errorf("%q, then %q, %v", code, again, err)
		}
	})
}
