package questionnaires

import "testing"

// What people might write, in the words that ship: found whatever the spelling,
// and calm texts left alone.
func TestShippedAlertWords(t *testing.T) {
	const danger, selfHarm = "danger-words", "self-harm-words"
	q := loaded(t).Current(Investigation)
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
	} {
		hits := q.Hits(Answers{"open.help": {State: Answered, Text: tt.text}}, tt.lang)
		found := tt.want == "" && len(hits) == 0
		for _, h := range hits {
			found = found || h.Rule == tt.want
		}
		if !found {
			t.Errorf("%s %q: %v, want %q", tt.lang, tt.text, hits, tt.want)
		}
	}
}
