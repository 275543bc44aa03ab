package access_test

import (
	"strings"
	"testing"

	"victimvoice/internal/access"
	"victimvoice/internal/fault"
)

func TestCheckPassword(t *testing.T) {
	personal := []string{"bartholomew.smythe@example.org", "Bartholomew Smythe-Jones"}
	for _, password := range []string{
		"violet harbour tandem", "my cat eats 3 green pears", "xK9#mQ2$vL7p", "Ωμέγα καὶ ἄλφα μακρά", "пароль-из-семи-слов", "樱花飞舞在春天的河岸边上吧",
		"the password is not here", "london calls me home again", "493 glass otters", strings.Repeat("a long one, ", 20) + "and then an end",
	} {
		if err := access.CheckPassword(password, personal...); err != nil {
			t.Errorf("%q refused: %v", password, err)
		}
	}
	for _, password := range []string{
		"", "short", "elevenchars", "aaaaaaaaaaaaaaaa", "ababababababab", "abcabcabcabcab", "passwordpassword", "Password1234", "P@ssw0rd1234!",
		"password password 1", "qwertyuiop12", "qwertyuiopasdf", "123456789012", "098765432109", "poiuytrewq123", "1qaz2wsx3edc", "abcdefghijkl",
		"Welcome2026!!", "Summer2026!!!", "LiverpoolFC1892", "metpolice999!", "victimvoice1", "VictimVoice2026", "letmeinletmein", "iloveyou12345",
		"adminadmin123", "administrator1", "Bartholomew1!", "smythe-jones12", "example.org!1", "correcthorsebatterystaple", "tab\tin the middle", "null\x00in the middle",
		"broken \xff\xfe utf eight", strings.Repeat("long ", 60),
	} {
		err := access.CheckPassword(password, personal...)
		if fields := fault.FieldsOf(err); !fault.Is(err, fault.Invalid) || len(fields) != 1 || fields[0].Field != "password" {
			t.Errorf("%q: %v", password, err)
		}
	}
	if err := access.CheckPassword("Dot@example.org", "dot@example.org", "Dot"); err == nil {
		t.Error("one's own address accepted")
	}
	// Twelve characters, not twelve bytes, and counted after normalisation.
	if err := access.CheckPassword(strings.Repeat("e\u0301a\u0301o\u0301", 3) + "u\u0301z"); err == nil {
		t.Error("eleven characters accepted")
	}
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("violet harbour tandem", "a@example.org")
	f.Add("qwertyuiop\xf012", "é")
	f.Fuzz(func(t *testing.T, password, personal string) {
		_ = access.CheckPassword(password, personal) // must not panic
	})
}
