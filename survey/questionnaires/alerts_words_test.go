package questionnaires

import "testing"

// What people might write, in the words that ship: found whatever the spelling,
// and calm texts left alone.
func TestShippedAlertWords(t *testing.T) {
	const danger, selfHarm = "danger-words", "self-harm-words"
	s := loaded(t)
	q := s.Current(Investigation)
	type tried struct{ lang, want string }
	times := make(map[tried]int)
	for _, tt := range []struct{ lang, want, text string }{
		{"bn", danger, "সে বলেছে আমাকে মেরে ফেলবে।"},
		{"bn", danger, "আমারে মাইরা ফালাইবো কইছে"},
		{"bn", danger, "আমি এখন খুব বিপদে আছি"},
		{"bn", danger, "ছুরি নিয়ে বাসার বাইরে দাঁড়িয়ে আছে"},
		{"bn", danger, "o bolche amake mere felbe"},
		{"bn", danger, "মুখে অ্যাসিড মারার হুমকি দিছে"},
		{"bn", selfHarm, "আমি আর বাচতে চাই না"},
		{"bn", selfHarm, "বেঁচে থাকতে ইচ্ছে করে না"},
		{"bn", selfHarm, "আত্নহত্যার কথা ভাবি"},
		{"bn", selfHarm, "ami ar bachte chai na"},
		{"bn", "", "অফিসার প্রতি সপ্তাহে ফোন করেছেন, তাতে ভালো লেগেছে।"},
		{"bn", "", "আমি চাই পুলিশ আমাকে খবর জানাক, আর বাইরে যেতে যেন ভয় না লাগে।"},
		{"ur", danger, "وہ کہتا ہے کہ مجھے جان سے مار دے گا"},
		{"ur", danger, "وه گھر كے باهر كھڑا هے"},
		{"ur", danger, "مجھے قتل کرنے کی دھمکی دی"},
		{"ur", danger, "میرے بھائی غیرت کے نام پر کچھ بھی کر سکتے ہیں"},
		{"ur", danger, "woh mujhe jaan se maar dega"},
		{"ur", danger, "میں خطرے میں ہوں"},
		{"ur", selfHarm, "میں اب جینا نہیں چاہتی"},
		{"ur", selfHarm, "خود کُشی کا خیال آتا ہے"},
		{"ur", selfHarm, "دل کرتا ہے مر جاؤں"},
		{"ur", selfHarm, "main marna chahti hoon"},
		{"ur", "", "افسر نے ہر ہفتے فون کیا، اس سے بہت اطمینان ہوا۔"},
		{"ur", "", "پولیس کو مجھے بروقت بتانا چاہیے تھا، فون کا جواب نہیں ملا۔"},
		{"ar", danger, "قال إنه سَيقتلني أنا وأولادي"},
		{"ar", danger, "هو واقف قدام بيتى دلوقتي"},
		{"ar", danger, "يهددني بالقتل كل يوم"},
		{"ar", danger, "رح يقتلني اذا رجعت"},
		{"ar", danger, "أنا خائفة على حياتي"},
		{"ar", danger, "حبسني في البيت وأخذ الهاتف"},
		{"ar", danger, "2al haye2telni"},
		{"ar", selfHarm, "لم أعد أريد العيش"},
		{"ar", selfHarm, "بدي موت وارتاح"},
		{"ar", selfHarm, "أفكر في الإنتحار"},
		{"ar", selfHarm, "عايزه أموت"},
		{"ar", "", "اتصل بي الشرطي كل أسبوع وكان ذلك مفيدًا جدًا."},
		{"ar", "", "أريد أن تخبرني الشرطة بالمستجدات، لم يرد أحد على اتصالي."},
		{"cy", danger, "Mae e wedi bygwth fy lladd i."},
		{"cy", danger, "Dwi mewn peryg rŵan, mae o tu allan i'r tŷ"},
		{"cy", danger, "rwy'n ofni am fy mywyd"},
		{"cy", danger, "mae cyllell 'da fe"},
		{"cy", danger, "He said he'd kill me os dw i'n gadael"},
		{"cy", selfHarm, "Dw i ddim eisiau byw."},
		{"cy", selfHarm, "fi moyn marw"},
		{"cy", selfHarm, "meddwl am hunan-laddiad"},
		{"cy", selfHarm, "dwi wedi bod yn torri fy hun"},
		{"cy", "", "Ffoniodd y swyddog bob wythnos, ac roedd hynny'n help mawr."},
		{"cy", "", "Hoffwn i fod wedi cael gwybod mwy gan yr heddlu am y llys."},
		{"cy", "", "Roedd yn anodd cario ymlaen â'r achos heb glywed dim."},
		{"pl", danger, "Powiedział, że mnie zabije"},
		{"pl", danger, "boje sie o zycie swoje i dzieci"},
		{"pl", danger, "Grozi mi śmiercią"},
		{"pl", danger, "stoi pod moim domem z nozem"},
		{"pl", danger, "dusił mnie"},
		{"pl", danger, "Ratunku, wezwijcie policję"},
		{"pl", selfHarm, "Nie chce mi sie juz zyc"},
		{"pl", selfHarm, "chciałam umrzeć"},
		{"pl", selfHarm, "mysle o samobojstwie"},
		{"pl", selfHarm, "chcę ze sobą skończyć"},
		{"pl", selfHarm, "tnę się"},
		{"pl", "", "Funkcjonariuszka dzwoniła co tydzień i bardzo mi to pomogło."},
		{"pl", "", "Chcę żyć spokojnie i wiedzieć, co się dzieje w sprawie."},
		{"pl", "", "Rozmowa była wyważona, a policja zawsze oddzwaniała."},
		{"ro", danger, "A zis că mă omoară."},
		{"ro", danger, "m-a amenintat cu moartea"},
		{"ro", danger, "Mi-e frică pentru viața mea"},
		{"ro", danger, "e la usa mea cu un cutit"},
		{"ro", danger, "m-a strâns de gât"},
		{"ro", danger, "Ajutați-mă, sunt în pericol"},
		{"ro", selfHarm, "Nu mai vreau să trăiesc"},
		{"ro", selfHarm, "vreau sa mor"},
		{"ro", selfHarm, "ma gandesc la sinucidere"},
		{"ro", selfHarm, "îmi vine să-mi pun capăt zilelor"},
		{"ro", selfHarm, "mi-am făcut rău"},
		{"ro", "", "Polițista m-a sunat în fiecare săptămână și m-a ajutat mult."},
		{"ro", "", "Ar fi fost bine să răspundă mai rapid și să explice ce urmează."},
		{"pt", danger, "Ele disse que me vai matar."},
		{"pt", danger, "ameacou matar-me"},
		{"pt", danger, "Recebi ameaças de morte"},
		{"pt", danger, "ta aqui a minha porta com uma faca"},
		{"pt", danger, "tenho medo de morrer"},
		{"pt", danger, "Apertou-me o pescoço"},
		{"pt", danger, "Socorro, não me deixa sair"},
		{"pt", selfHarm, "já não quero viver"},
		{"pt", selfHarm, "Pensei em suicídio"},
		{"pt", selfHarm, "so quero morrer"},
		{"pt", selfHarm, "às vezes corto-me"},
		{"pt", selfHarm, "pensei em acabar com a minha vida"},
		{"pt", "", "A agente ligou todas as semanas e isso ajudou muito."},
		{"pt", "", "Quero que a polícia faça mais e me diga o que se passa."},
		{"pt", "", "A agente esteve presente em casa e explicou tudo."},
	} {
		times[tried{tt.lang, tt.want}]++
		hits := q.Hits(Answers{"open.help": {State: Answered, Text: tt.text}}, tt.lang)
		found := tt.want == "" && len(hits) == 0
		for _, h := range hits {
			found = found || h.Rule == tt.want
		}
		if !found {
			t.Errorf("%s %q: %v, want %q", tt.lang, tt.text, hits, tt.want)
		}
	}
	for _, l := range s.LanguagesOffered() {
		for _, want := range []string{danger, selfHarm, ""} {
			if l.Code != english && times[tried{l.Code, want}] < 2 {
				t.Errorf("%s: too little is tried for %q", l.Code, want)
			}
		}
	}
}
