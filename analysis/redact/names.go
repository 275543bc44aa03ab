package redact

import (
	"strings"
	"unicode"
)

// givenNames are common given names in England and Wales of several decades and
// communities. They are looked for where the rest of the sentence does not say
// that a name stands there; the other rules need no list.
var givenNames = wordSet(`
aaliyah aaron abbas abdul abdullah abigail adam adeel adele adrian agnes ahmed aisha akash alan albert alejandro alex alexander alexandra alfie ali alice alicia alina alison
alistair amanda amara amber amelia amina amir amit amy ana anastasia andrea andrew andy angela angelina anil anita anna annabel anne annie anthony anton antonio anya archie
ariana arjun arthur asha ashley asif asma audrey ayesha barbara barry beatrice becky ben benjamin bernard beth bethany betty beverley bhavna bilal bogdan brandon brenda brian
bridget bronwyn bryan caitlin callum cameron camilla carl carla carlos carol caroline carys catherine catrin cathy charlene charles charlie charlotte chelsea chen chloe chris
christian christina christine christopher ciara claire clare clive colin connor conor courtney craig cristina cynthia daisy damian damien dan daniel daniela danielle danny
darren dave david dawn dean deborah debbie declan deepa denise dennis derek diana diane dilip dimitri dina dominic donna doris dorota dorothy douglas duncan dylan eamon ebony
eddie edith edward eileen elaine eleanor elena eli elizabeth ella ellen ellie elliot elsie emily emma enrique eric erica erin ernest esther ethan eugene eva evan eve evelyn
ewa faisal farah farhan fatima fatou faye felicity felix fiona florence frances francesca francis frank fraser fred freddie frederick freya gabriel gabriela gareth gary gavin
gemma geoff geoffrey george georgia georgina gerald geraldine gethin gillian giovanni giulia glen glenn gloria gordon graham grant greg gregory gurpreet gwen gwyneth hamza hana
hannah hanna harold harpreet harriet harry harvey hasan hassan hayley hazel heather helen helena henry holly howard hugh hussain hussein ian ibrahim imran ines ioana irene iris
isaac isabel isabella isla ismail ivan ivy jack jackie jacob jacqueline jade jake jakub jamal james jamie jan jane janet janice jared jasmine jason jay jayden jean jeff jeffrey
jemma jennifer jenny jeremy jerome jess jessica jill jim joan joanna joanne joe joel john johnny jonathan jordan jorge jose joseph josephine josh joshua joyce juan judith judy
julia julian julie june justin kamal kareem karen karim karl kate katherine kathleen kathryn katie katy kay kayleigh keeley keith kelly ken kenneth kenny kerry kevin khadija
khalid kieran kim kimberley kiran kirsty krishna krystyna kumar kyle lakshmi lara laura lauren lawrence layla leah leanne lee lena leo leon leonard leroy leslie lesley lewis liam
lily linda lindsay lisa logan lola lorraine louis louisa louise lucas lucia lucy luis luke lydia lynn lynne maciej madison mahmoud malcolm malik mandy manuel marco marcus margaret
maria mariam marian marie marilyn mario marion marjorie marta martha martin martina mary maryam mateusz matt matthew maureen maurice max maxine maya megan mehmet melanie melissa
mia michael michelle miguel mihai mike mila miles milly miriam mitchell mohamed mohammad mohammed moira molly monica monika morgan muhammad mustafa nadia nadine nancy naomi
natalia natalie natasha nathan nathaniel naveed neil nell niamh nicholas nick nicky nicola nicole nigel nikhil nina noah noel noor norma norman nuala olga oliver olivia olu
oluwaseun omar oscar owen pamela paolo pat patricia patrick paul paula pauline pawel pedro penelope penny peter phil philip philippa phoebe phyllis piotr polly pooja poppy
priya rachael rachel rafael raj rajesh ralph ramesh rashid ravi ray raymond rebecca reece reuben rhian rhiannon rhys ricardo richard rita rob robert roberta roberto robin
rodney roger rohan roisin roman ronald ronnie rory rosa rosalind rosemary ross roxanne roy ruby rukhsana russell ruth ryan sabrina sade saeed saima sajid sally salma sam samantha
samir samira samuel sana sandeep sandra sanjay sara sarah sasha scott sean sebastian sergio shabnam shane shanice shannon sharon shaun sheila shelley shirin shirley sian
sibusiso sidney simon siobhan sofia sonia sophia sophie stacey stanley stefan stella stephanie stephen steve steven stewart stuart sue sunil sunita suresh susan susanna suzanne
sylvia tahir tamara tania tanya tariq tasha tatiana terence teresa terry theo theresa thomas tiffany tim timothy tina toby tom tomasz tommy tony tracey tracy trevor tristan
tyler tyrone umar una usman valentina valerie vanessa vera vernon veronica vicky victor victoria vijay vikram vincent viola violet vivian vivienne waheed walter wanda warren
wayne wendy wesley wiktoria wilfred william xavier yasmin yolanda youssef yusuf yvette yvonne zac zach zachary zahra zainab zara zoe zofia zubair`)

// alsoWords are given names that are ordinary words as well: a small letter or the
// beginning of a sentence says nothing about them.
var alsoWords = wordSet(`amber april art ash autumn bill bob carol chase chance christian clay daisy dawn dean don drew eve faith frank gene glen grace grant guy hazel heather
holly hope hunter iris ivy jack jade jasmine jay jean joy june kay ken lane lee lily mark may max miles nick norm olive pat patience paul penny poppy ray rich rob robin rose ross
ruby sally sandy sky stacey sue summer tan temperance tony trinity victor viola violet wade will win art del leo pearl ella eli ana ali an chen elsie jan jordan kim lola malik
noel roman sasha scott sean shannon terry una vera carl logan harry morgan rita raj`)

// common are capitalised words that are no names where the rules look for one.
var common = wordSet(`i i'm i've i'd i'll a an the and but or so if as at in on of to for from by with he she it they we you him her his hers them us me my your our their this that these
those who what when where why how not no yes never ever always also then than because since until while after before again still just only even very really too about over under
police officer officers court cps met metropolitan london crown magistrates witness care victim support paladin suzy lamplugh trust advocate idva isva marac dash spo nfa vps cctv
monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december christmas easter covid
facebook instagram whatsapp snapchat tiktok twitter google apple uk england wales scotland ireland britain british english welsh was is are were had has have did does do been being
would could should will can may might must got get gave give went go came come said say told tell called call kept keep made make left leave took take sent send asked ask rang ring
nobody somebody everyone everything nothing something anyone someone one two three four five six seven eight nine ten first last next best worst great good bad poor lovely awful`)

func wordSet(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

// firstWord is the first word of a span, in small letters and without a possessive.
func firstWord(s string) string {
	w, _, _ := strings.Cut(strings.ToLower(s), " ")
	w, _, _ = strings.Cut(w, "\t")
	return strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(w, "'’-"), "'s"), "’s")
}

func notCommon(text string, start, end int) bool { return !common[firstWord(text[start:end])] }

// notCommonLower takes a small-letter word after a title as a name unless it is an ordinary word there.
func notCommonLower(text string, start, end int) bool {
	w := firstWord(text[start:end])
	if common[w] || len(w) < 3 {
		return false
	}
	for _, suffix := range []string{"ing", "ed", "ly"} {
		if strings.HasSuffix(w, suffix) {
			return false
		}
	}
	return givenNames[w] || !lowerAfterTitle[w]
}

var lowerAfterTitle = wordSet(`number numbers never again assigned dealing turned came didn took rang called told left visited attended kept who that which when then just only also still
never were was had has did does would could should and but with from for the this said says out off back there here went gave got made very really quite both each every other another came investigating
in on at to it is be by my me us so if no or an as do up we he she they them him her his one two three later first second third case work works worked seemed seems looked listened helped`)

func startsWithGivenName(text string, start, end int) bool {
	return givenNames[firstWord(text[start:end])]
}

func isGivenName(text string, start, end int) bool {
	w := firstWord(text[start:end])
	if !givenNames[w] {
		return false
	}
	return !alsoWords[w] || !opensSentence(text, start)
}

// isLowerGivenName finds names typed in small letters, but not those that are words too.
func isLowerGivenName(text string, start, end int) bool {
	w := text[start:end]
	return givenNames[w] && !alsoWords[w] && len(w) > 3
}

// opensSentence reports whether only blanks and marks stand between a place and
// the end of the sentence before, where any word has a capital.
func opensSentence(text string, at int) bool {
	before := strings.TrimRightFunc(text[:at], func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"'“‘([`, r) })
	return before == "" || strings.ContainsRune(".!?…", []rune(before[max(0, len(before)-4):])[len([]rune(before[max(0, len(before)-4):]))-1])
}
