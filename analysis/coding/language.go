package coding

import (
	"strings"
	"unicode"
)

// tongue is a set of languages, one bit each: those in which a word is one of
// the small words that every text has, or whose letters it shows.
type tongue uint16

const (
	inEnglish tongue = 1 << iota
	inWelsh
	inPolish
	inRomanian
	inPortuguese
	inBengali
	inUrdu
	inArabic
	inAnother // any other
)

// tongueCodes gives each language its code; another has none of its own.
var tongueCodes = []struct {
	bit  tongue
	code string
}{
	{inEnglish, "en"}, {inWelsh, "cy"}, {inPolish, "pl"}, {inRomanian, "ro"}, {inPortuguese, "pt"}, {inBengali, "bn"}, {inUrdu, "ur"}, {inArabic, "ar"}, {inAnother, "und"},
}

// smallWords lists, for each language, words that hardly a sentence does without.
// Words that English has too are left out of the others. Urdu and Bengali are
// here as they are written in Latin letters; in their own they are told by script.
var smallWords = buildSmallWords(map[tongue]string{
	inEnglish: `the and to a of i in was my that it they for me he is not with had on but have at this were be you so as she we when no from if or
		their them his her by about been an never what would just him one told did out up all do there who because after could said how get got
		more then are which only before even him our your than some still should any has didn't don't wasn't didnt dont wasnt couldn't can't
		nobody nothing always every very too back down into over again where why will can him am us these those being police officer officers
		court case advocate help support please thank thanks good bad it's i'm i've he's she's they're that's cos off went come came gave took
		felt feel made make know knew think thought time times day days week weeks month months year years first last much many really
		people someone something anything everything anyone everyone none without until while through during against between each other
		two three four five six seven eight nine ten ta tell wait call say same`,
	inWelsh: `yr yn y ac oedd roedd mae nid ni fi fy i'r o'r a'r bod wedi gan gyda am ar ond ddim dim hi nhw nhw'n eu ei ein eich chi ti cael gael
		gwneud heddlu swyddog fel bu oedden doedd wrth ar ôl hyd pan sy sydd hwn hon yw ydy dwi roeddwn roeddent gwybod dweud neb byth`,
	inPolish: `nie i w z na się sie że ze do jest to mnie był była było byli byla bylo ale jak co po od za tak czy już juz tylko przez o ich jego
		jej mój moja moje moj ja mam dla tego ten ta te przy bardzo nikt nigdy nic kiedy gdy oni policja policji policjant żeby zeby bo albo`,
	inRomanian: `și si nu că sa să este sunt am fost pe cu din la mi m-a m-au mă ma îmi imi au ce mai dar pentru care lui ei le un o ne ei
		foarte nimeni niciodată niciodata nimic când cand poliția politia poliția ofițerul ofiterul după dupa despre într-o mea meu fără fara`,
	inPortuguese: `que não nao de da do das dos em um uma os as para com por mais mas foi ele ela eles me meu minha se eu já ja nada nunca ninguém
		ninguem polícia policia quando muito também tambem estava disse só porque sem até ate isso este esta foram tinha ao à`,
	inBengali: `ami amar amake ami'r tara tader kore korche koreche korlo ache achhe chilo kintu keu kichu pulish hoy hoyeche amader tumi apni theke jonno
		bole boleche nai nei`,
	inUrdu: `mujhe mera meri mere hai hain nahi nahin ne ko ka ki ke se mein main aur kya kuch koi bhi tha thi the woh yeh unhone kiya gaya kar
		raha rahi rahe liye lekin magar phir jab bahut`,
	inAnother: `el los las una por con pero como más mas fue muy yo qué le les des une est dans pas je il elle mais que qui sur avec pour nous
		vous ils c'est der die das und ist nicht ich sie mit auf für ein eine war wurde wir zu den il che non è di della sono per ma
		ve bir bu için değil çok ne de ama gibi waa iyo ka ku soo oo aan ir kad ne bet su yra buvo mano het een en van ik niet dat maar`,
})

func buildSmallWords(lists map[tongue]string) map[string]tongue {
	out := map[string]tongue{}
	for bit, list := range lists {
		for w := range strings.FieldsSeq(list) {
			out[w] |= bit
		}
	}
	for w, bits := range out {
		if bits&inEnglish != 0 {
			out[w] = inEnglish // "me", "the", "in": not telling
		}
	}
	return out
}

// letters that show a language where they stand.
var tellingLetters = map[rune]tongue{
	'ł': inPolish, 'ą': inPolish, 'ę': inPolish, 'ś': inPolish, 'ź': inPolish, 'ż': inPolish, 'ń': inPolish, 'ć': inPolish,
	'ă': inRomanian, 'ș': inRomanian, 'ț': inRomanian, 'ş': inRomanian | inAnother, 'ţ': inRomanian,
	'ã': inPortuguese, 'õ': inPortuguese, 'ŵ': inWelsh, 'ŷ': inWelsh,
	'ß': inAnother, 'ğ': inAnother, 'ı': inAnother, 'ñ': inAnother, 'ø': inAnother, 'å': inAnother, 'ő': inAnother, 'ű': inAnother, 'č': inAnother, 'š': inAnother, 'ž': inAnother,
}

// urduLetters are letters of the Arabic script that Urdu has and Arabic has not.
const urduLetters = "ٹڈڑںےہیکگچپژھ"

// tongueOf tells which languages a word, in small letters, speaks for.
func tongueOf(word string) tongue {
	bits := smallWords[word]
	for _, r := range word {
		switch {
		case r < 0x80:
		case unicode.Is(unicode.Bengali, r):
			return inBengali
		case unicode.Is(unicode.Arabic, r):
			if strings.ContainsAny(word, urduLetters) {
				return inUrdu
			}
			bits |= inArabic
		case unicode.Is(unicode.Latin, r):
			bits |= tellingLetters[r]
		case unicode.IsLetter(r):
			return inAnother
		}
	}
	return bits
}

// language tells which language the words of a text are in: its code, "und" for
// one that is none of ours, "" where nothing tells. Words that stand for English
// and for nothing else decide for English in doubt: a name or a quotation makes
// no Polish text.
func (s *space) language() string {
	var count [16]int
	words := 0
	see := func(p *part) {
		words++
		if p.tongue == 0 {
			return
		}
		for i := range tongueCodes {
			if p.tongue&tongueCodes[i].bit != 0 {
				count[i]++
			}
		}
	}
	for i := range s.tokens {
		see(s.tokens[i].part)
	}
	for i := range s.passed {
		see(s.passed[i].part)
	}
	best := 0
	for i := range tongueCodes {
		if count[i] > count[best] {
			best = i
		}
	}
	// Urdu text shares most letters with Arabic, which Urdu's own letters outvote.
	if tongueCodes[best].bit == inArabic && 4*count[tonguePlace(inUrdu)] >= count[best] {
		best = tonguePlace(inUrdu)
	}
	en := count[0]
	switch {
	case best != 0 && count[best] >= 2 && count[best] > en+words/12:
		return tongueCodes[best].code
	case best != 0 && en == 0 && words <= 4:
		return tongueCodes[best].code
	case en > 0:
		return "en"
	case words >= 10:
		return "und" // no small word of English in a whole sentence
	}
	return ""
}

func tonguePlace(bit tongue) int {
	for i := range tongueCodes {
		if tongueCodes[i].bit == bit {
			return i
		}
	}
	return 0
}

// Language tells which language a text is in: the code of one of the eight that
// the product speaks, "und" for another, "" where nothing tells.
func (c *Coder) Language(text string) string {
	s := c.scratch.take()
	defer c.scratch.give(s)
	c.segment(text, s)
	return s.language()
}

// lookalikes are letters of other scripts that look like Latin ones.
var lookalikes = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ј': 'j', 'ѕ': 's', 'һ': 'h', 'ԁ': 'd', 'ո': 'n', 'ԛ': 'q', 'ԝ': 'w',
	'к': 'k', 'м': 'm', 'т': 't', 'в': 'b', 'н': 'h', 'ο': 'o', 'α': 'a', 'ν': 'v', 'ρ': 'p', 'τ': 't', 'ι': 'i', 'κ': 'k', 'υ': 'u', 'ε': 'e',
}

// plainLatin gives a word in Latin letters where it mixes them with letters of
// other scripts that look the same; other words as they are.
func plainLatin(word string) string {
	latin, like := false, false
	for _, r := range word {
		switch {
		case r < 0x80 && unicode.IsLetter(r):
			latin = true
		case lookalikes[r] != 0:
			like = true
		}
	}
	if !latin || !like {
		return word
	}
	return strings.Map(func(r rune) rune {
		if l := lookalikes[r]; l != 0 {
			return l
		}
		return r
	}, word)
}
