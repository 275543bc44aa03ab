package figures

import "time"

// CaseRow is what figures know of a case: attributes and whom was asked, never
// who they are. Key is the pseudonym under which the case's answers are kept.
type CaseRow struct {
	Key       string
	ChangedAt time.Time

	Force, Borough, BCU, Offence string
	Outcome                      string // empty while the case is open
	DomesticAbuse                int8   // -1 unknown, 0 no, 1 yes
	AgeBand, Sex                 string

	// AboutKeys say where what the case's person told about themselves stands: the
	// first under which something is kept counts.
	AboutKeys []string

	ReportedAt, WithdrewAt, ClosedAt time.Time // zero: has not happened
	Reason                           string    // for withdrawing, as police record it

	Asks []AskRow
	Gone bool // a tombstone: the case is no longer kept
}

// Disposition says what became of one asking.
type Disposition string

// The dispositions, and how the response rates (AAPOR) count them.
const (
	Pending          Disposition = "pending"           // due later, or asked and still open: once sent it counts as not (yet) contacted
	Ineligible       Disposition = "ineligible"        // out of the survey: not counted
	Superseded       Disposition = "superseded"        // another stage's questions took its place: not counted
	NotSafe          Disposition = "not-safe"          // not asked, for safety: a rate of its own
	TooLate          Disposition = "too-late"          // never asked, since we knew too late: unknown
	Undelivered      Disposition = "undelivered"       // the message came back: not contacted
	NoResponse       Disposition = "no-response"       // asked, and never heard: not contacted
	Refused          Disposition = "refused"           // said no
	Started          Disposition = "started"           // began, without one core item answered: other
	StartedPartial   Disposition = "started-partial"   // at least one core item answered: partial
	Completed        Disposition = "complete"          // finished
	ConsentWithdrawn Disposition = "consent-withdrawn" // answered, and took it back: refusal
	OtherReason      Disposition = "other"             // anything else that kept them from answering: other
)

// AskRow is one asking of a case: a stage and round, and what became of it.
type AskRow struct {
	Stage       string
	Round       int
	DueAt       time.Time
	SentAt      time.Time // or when a card was made; zero: neither
	Disposition Disposition
	Reason      string // why it was not asked, where it was not
}

// ResponseRow is one kept set of answers.
type ResponseRow struct {
	ID, CaseKey   string
	Stage         string
	Round         int
	Mode          string // self, relayed, observed
	Questionnaire string // the version answered, as "report/1"
	Disposition   string // complete or partial
	Quick         bool
	SubmittedAt   time.Time
	ChangedAt     time.Time
	Packed        []byte // closed answers, as questionnaires.Pack writes them
	Gone          bool   // a tombstone: the answers were withdrawn
}

// AboutRow is what one person told about themselves. Who they are it does not say:
// a case names the row by its Key, and no row names a case.
type AboutRow struct {
	Key           string
	Questionnaire string // the version answered, as "about/1"
	ChangedAt     time.Time
	Packed        []byte // as questionnaires.Pack writes them
	Gone          bool   // a tombstone: it was taken back
}

// ThemeRow is how the words of a response were coded. A response with more than
// one free text has one row an item; a text left for a person to code has none.
type ThemeRow struct {
	ResponseID      string
	Item            string // which free text; may be empty where there is one row a response
	ChangedAt       time.Time
	CodebookVersion string // which coder coded it: its codebook and, where it has one, its model
	Labels          []ThemeLabel
	Gone            bool // a tombstone

	// Person says that Labels are a person's. Machine is then what the coder had said
	// of the same text: empty where it found nothing, nil where that was not kept.
	Person  bool
	Machine []ThemeLabel
	// Drawn says that the text came to the person by chance, from among all texts, and
	// not because it was doubtful or new. Such texts alone show how often the coder errs.
	Drawn bool
}

// ThemeLabel is one theme that the words show, and on which side.
type ThemeLabel struct {
	Code     string
	Polarity string // positive or negative
}

// Theme names one code of the codebook for the register of measures.
type Theme struct {
	Code, Title, Construct string
}

// The modes of answering. They are never pooled.
const (
	ModeSelf     = "self"
	ModeRelayed  = "relayed"
	ModeObserved = "observed"
)

func modes() []string { return []string{ModeSelf, ModeRelayed, ModeObserved} }

// steps of the dissemination strip, each within the one before.
const (
	stepAll = iota
	stepEligible
	stepSafe
	stepInvited
	stepDelivered
	stepStarted
	stepAnswered
	stepComplete
)

// disposition codes as the columns hold them, by the AAPOR class they fall in.
const (
	dispPending uint8 = iota
	dispAsked         // pending, and sent
	dispIneligible
	dispNotSafe
	dispUnknown
	dispUndelivered
	dispNoResponse
	dispRefused
	dispOther
	dispStarted
	dispPartial
	dispComplete
	dispWithdrawn
)

func dispositionCode(a AskRow) uint8 {
	switch a.Disposition {
	case Ineligible, Superseded:
		return dispIneligible
	case NotSafe:
		return dispNotSafe
	case TooLate:
		return dispUnknown
	case Undelivered:
		return dispUndelivered
	case NoResponse:
		return dispNoResponse
	case Refused:
		return dispRefused
	case Started:
		return dispStarted
	case StartedPartial:
		return dispPartial
	case Completed:
		return dispComplete
	case ConsentWithdrawn:
		return dispWithdrawn
	case OtherReason:
		return dispOther
	case Pending:
		if !a.SentAt.IsZero() {
			return dispAsked
		}
	}
	return dispPending
}

// lastStep is how far along the dissemination strip an asking came.
func lastStep(disposition uint8) int {
	switch disposition {
	case dispIneligible:
		return stepAll
	case dispNotSafe:
		return stepEligible
	case dispPending, dispUnknown, dispOther:
		return stepSafe
	case dispUndelivered:
		return stepInvited
	case dispAsked, dispNoResponse, dispRefused:
		return stepDelivered
	case dispStarted:
		return stepStarted
	case dispPartial, dispWithdrawn:
		return stepAnswered
	case dispComplete:
		return stepComplete
	}
	return stepAll
}

// dispositions adds one asking to a tally, as AAPOR classes it.
func (d *Dispositions) add(disposition uint8) {
	switch disposition {
	case dispComplete:
		d.Complete++
	case dispPartial:
		d.Partial++
	case dispRefused, dispWithdrawn:
		d.Refusal++
	case dispAsked, dispNoResponse, dispUndelivered:
		d.NonContact++
	case dispOther, dispStarted:
		d.Other++
	case dispUnknown:
		d.Unknown++
	case dispNotSafe:
		d.NotSafe++
	case dispIneligible:
		d.Ineligible++
	}
}
