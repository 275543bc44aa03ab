package survey

import (
	"errors"
	"fmt"
	"net/mail"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-playground/validator/v10"

	"victimvoice/internal/fault"
	"victimvoice/internal/seal"
)

// clockSkew is how far ahead of ours a sender's clock may run.
const clockSkew = 5 * time.Minute

// earliestEvent bounds what can be a real date of a case we are told of.
var earliestEvent = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

var weekOrder = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

var languageTag = regexp.MustCompile(`^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$`)

// eventRules is the validator of Event. It is safe for concurrent use and holds
// nothing but a cache of the struct's tags.
var eventRules = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	text := func(fn func(string) bool) validator.Func {
		return func(fl validator.FieldLevel) bool { return fn(fl.Field().String()) }
	}
	for tag, fn := range map[string]func(string) bool{
		"line":      isLine,
		"ident":     func(s string) bool { return isLine(s) && strings.TrimSpace(s) != "" },
		"mailbox":   isMailbox,
		"clock":     func(s string) bool { _, err := clockMinutes(s); return err == nil },
		"language":  languageTag.MatchString,
		"eventtype": func(s string) bool { return slices.Contains(EventTypes(), s) },
		"offence":   func(s string) bool { return slices.Contains(Offences(), s) },
		"outcome":   func(s string) bool { return slices.Contains(Outcomes(), s) },
	} {
		if err := v.RegisterValidation(tag, text(fn)); err != nil {
			panic("survey: " + err.Error()) // a constant tag name that the library refuses
		}
	}
	return v
})

// isLine reports whether s is valid text on one line without control characters.
func isLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) && !strings.ContainsRune(s, utf8.RuneError)
}

// isMailbox reports whether s is a bare address such as person@example.org.
func isMailbox(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || strings.ContainsAny(s, "<>\" \t\r\n,;") {
		return false
	}
	_, domain, _ := strings.Cut(s[strings.LastIndex(s, "@"):], "@")
	return strings.Contains(domain, ".") && !strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".") && isLine(s)
}

// Check normalises an event in place and gives every fault in it: the field as
// the sender named it (a JSON path such as contact.email) and what would be
// right. An event without faults can be received.
func (s *Service) Check(e *Event) []fault.Field {
	s.normalise(e)
	var faults []fault.Field
	add := func(field, format string, args ...any) {
		faults = append(faults, fault.Field{Field: field, Message: fmt.Sprintf(format, args...)})
	}
	var invalid validator.ValidationErrors
	if err := eventRules().Struct(e); errors.As(err, &invalid) {
		for _, fe := range invalid {
			_, path, _ := strings.Cut(fe.Namespace(), ".")
			path, _, _ = strings.Cut(path, "[")
			if slices.ContainsFunc(faults, func(f fault.Field) bool { return f.Field == path }) {
				continue
			}
			add(path, "%s", explain(fe))
		}
	}
	now := s.now()
	switch {
	case e.OccurredAt.IsZero(): // said by required
	case e.OccurredAt.After(now.Add(clockSkew)):
		add("occurred_at", "is in the future; want the time at which it happened")
	case e.OccurredAt.Before(earliestEvent):
		add("occurred_at", "is before %s; want the time at which it happened", earliestEvent.Format(time.DateOnly))
	}
	if e.Contact != nil && e.Contact.SafeConfirmedAt != nil && e.Contact.SafeConfirmedAt.After(now.Add(clockSkew)) {
		add("contact.safe_confirmed_at", "is in the future; want the time at which the person confirmed it")
	}
	if e.Borough != "" && isLine(e.Borough) && !slices.ContainsFunc(faults, func(f fault.Field) bool { return f.Field == "borough" }) {
		if _, listed := s.geo.Force(e.Force); listed {
			if _, ok := s.geo.Borough(e.Force, e.Borough); !ok {
				hint := "want one of the force's boroughs"
				if near := s.geo.Nearest(e.Force, e.Borough); len(near) > 0 {
					hint = "did you mean " + strings.Join(near, ", ") + "?"
				}
				add("borough", "%q is not a borough of %s; %s", e.Borough, e.Force, hint)
			}
		}
	}
	if e.Corrects != "" {
		if e.Type != Corrected {
			add("corrects", "goes with the type corrected only")
		} else if e.Corrects == e.EventID {
			add("corrects", "names the event itself; want the event_id of an earlier event")
		}
	}
	if e.Into != "" && e.Into == e.CaseRef {
		add("into", "names the case itself; want the case_ref it was merged into")
	}
	return faults
}

// normalise writes one meaning one way, so that a repeat in other spelling is
// still a repeat.
func (s *Service) normalise(e *Event) {
	for _, p := range []*string{
		&e.EventID, &e.CaseRef, (*string)(&e.Type), &e.Force, &e.Borough, &e.Offence, &e.Advocate, &e.PersonRef, &e.AgeBand,
		&e.Sex, &e.Milestone, &e.Reason, &e.Outcome, &e.Into, &e.Corrects,
	} {
		*p = strings.TrimSpace(*p)
	}
	for _, p := range []*string{(*string)(&e.Type), &e.Offence, &e.Milestone, &e.Outcome} {
		*p = strings.ToLower(*p)
	}
	e.OccurredAt = e.OccurredAt.UTC().Truncate(time.Millisecond)
	if name, listed := s.geo.Force(e.Force); listed {
		e.Force = name
		if a, ok := s.geo.Borough(e.Force, e.Borough); ok {
			e.Borough = a.Borough
		}
	}
	if e.Advocate != "" {
		e.Advocate = seal.NormaliseEmail(e.Advocate)
	}
	c := e.Contact
	if c == nil {
		return
	}
	for _, p := range []*string{&c.Email, &c.Language, &c.SafeFrom, &c.SafeTo} {
		*p = strings.TrimSpace(*p)
	}
	if c.Email != "" && isLine(c.Email) {
		c.Email = seal.NormaliseEmail(c.Email)
	}
	c.Language = strings.ToLower(c.Language)
	for i, d := range c.SafeDays {
		d = strings.ToLower(strings.TrimSpace(d))
		if full := d; len(full) > 3 && slices.Contains([]string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}, full) {
			d = full[:3]
		}
		c.SafeDays[i] = d
	}
	slices.SortStableFunc(c.SafeDays, func(a, b string) int { // the same days in another order are the same days
		return slices.Index(weekOrder, a) - slices.Index(weekOrder, b)
	})
	if c.SafeConfirmedAt != nil {
		t := c.SafeConfirmedAt.UTC().Truncate(time.Millisecond)
		c.SafeConfirmedAt = &t
	}
	if reflect.ValueOf(*c).IsZero() {
		e.Contact = nil
	}
}

// explain turns a broken rule into what would be right.
func explain(fe validator.FieldError) string {
	value, _ := fe.Value().(string)
	if t, ok := fe.Value().(EventType); ok {
		value = string(t)
	}
	oneOf := func(list []string) string {
		text := fmt.Sprintf("%q is not known; ", clip(value))
		if near := nearest(value, list, 1); len(near) > 0 {
			return text + "did you mean " + near[0] + "?"
		}
		return text + "want one of " + strings.Join(list, ", ")
	}
	switch fe.Tag() {
	case "required", "ident":
		if value != "" && strings.TrimSpace(value) != "" {
			return "has control characters or is not UTF-8; want plain text on one line"
		}
		return "is missing"
	case "required_if":
		return map[string]string{
			"outcome":   "is missing; a closed event needs an outcome: " + strings.Join(Outcomes(), ", "),
			"milestone": "is missing; an investigation_progressed event needs a milestone such as arrest, interview, bail, charge or order",
			"into":      "is missing; a cases_merged event needs the case_ref of the case it was merged into",
			"corrects":  "is missing; a corrected event needs the event_id that it replaces",
		}[fe.Field()]
	case "eventtype":
		return oneOf(EventTypes())
	case "offence":
		return oneOf(Offences())
	case "outcome":
		return oneOf(Outcomes())
	case "oneof":
		return fmt.Sprintf("%q is not a day; want %s", clip(value), strings.ReplaceAll(fe.Param(), " ", ", "))
	case "unique":
		return "names a day twice"
	case "mailbox":
		return "is not an address; want one such as person@example.org"
	case "clock":
		return "is not a time of day; want HH:MM such as 09:00"
	case "language":
		return "is not a language code; want one such as en or cy"
	case "max":
		if fe.Kind() == reflect.Slice {
			return "has more than " + fe.Param() + " values"
		}
		return "is longer than " + fe.Param() + " characters"
	default:
		return "has control characters or is not UTF-8; want plain text on one line"
	}
}

// clip keeps a quoted value short, so that an error never carries much of the input.
func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}
