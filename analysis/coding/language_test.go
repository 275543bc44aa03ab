package coding

import (
	"os"
	"testing"

	"victimvoice/analysis/corpus"
)

func TestLanguage(t *testing.T) {
	c := newPhrases(t)
	for _, tc := range []struct{ text, want string }{
		{"The officer was kind but nobody rang me back.", "en"},
		{"no updates. none. six months", "en"},
		{"wen i ring they put me on hold an go away", "en"},
		{"Screens, side door, tea", ""},
		{"Useless", ""},
		{"", ""},
		{"😔😔", ""},
		{"Policjant był bardzo miły, ale nikt do mnie nie oddzwonił.", "pl"},
		{"Nikt mi nic nie powiedzial przez trzy miesiace", "pl"},
		{"Nie", "pl"},
		{"Roedd yr heddwas yn garedig ond doedd neb wedi ffonio fi.", "cy"},
		{"Polițistul a fost amabil dar nimeni nu m-a sunat înapoi.", "ro"},
		{"nimeni nu mi a spus nimic despre caz", "ro"},
		{"O agente foi simpático mas ninguém me ligou de volta.", "pt"},
		{"Não me disseram nada", "pt"},
		{"পুলিশ অফিসার খুব দয়ালু ছিলেন কিন্তু কেউ আমাকে ফোন করেনি।", "bn"},
		{"پولیس افسر بہت مہربان تھا لیکن کسی نے مجھے واپس فون نہیں کیا۔", "ur"},
		{"mujhe police ne kuch nahi bataya", "ur"},
		{"كان الضابط لطيفا لكن لم يتصل بي أحد.", "ar"},
		{"El policía fue muy amable pero no me llamó nadie", "und"},
		{"Der Polizist war nett und ich habe nichts gehört", "und"},
		{"Офицер был добр, но никто не перезвонил.", "und"},
		{"警察很好，但没有人给我回电话。", "und"},
		{"PC Wójcik was kind and she rang me every week.", "en"},
		{"She said \"nie martw się\" to me and it helped, the officer spoke Polish with me", "en"},
	} {
		if got := c.Language(tc.text); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.text, got, tc.want)
		}
	}
}

// No comment of the corpus may be taken for another language's: it would go
// uncoded.
func TestCorpusIsReadAsEnglish(t *testing.T) {
	comments, err := corpus.Load(os.DirFS(trainDir))
	if err != nil {
		t.Fatal(err)
	}
	c := newPhrases(t)
	for i := range comments {
		if got := c.Language(comments[i].Text); got != "en" && got != "" {
			t.Errorf("%s: %q: %s", comments[i].ID, got, comments[i].Text)
		}
	}
}

func TestOtherLanguagesAreNotCoded(t *testing.T) {
	c := newCoder(t)
	r := c.Read("Nikt mi nic nie powiedział. Police no updates.")
	if len(r.Labels) != 0 || len(r.Unsure) != 0 || r.Language != "pl" {
		t.Errorf("got %+v", r)
	}
}

func TestLookalikes(t *testing.T) {
	c := newPhrases(t)
	// Cyrillic о, а and е inside Latin words
	got := c.Code("They nеver tооk me seriоusly")
	if len(got) != 1 || got[0].Code != "RES_SERIOUS" || got[0].Polarity != "negative" {
		t.Errorf("got %+v", got)
	}
}
