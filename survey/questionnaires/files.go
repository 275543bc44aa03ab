package questionnaires

import (
	"errors"
	"strings"
)

// The shapes of the data files. Decoding is strict: an unknown key is a fault.
type (
	optionFile struct {
		Code      string   `yaml:"code"`
		Score     *float64 `yaml:"score"`
		Positive  bool     `yaml:"positive"`
		State     string   `yaml:"state"`
		Exclusive bool     `yaml:"exclusive"`
		Group     string   `yaml:"group"`
	}
	itemFile struct {
		ID           string       `yaml:"id"`
		Core         string       `yaml:"core"` // a core tracker, in place of all but show_if
		Construct    string       `yaml:"construct"`
		Kind         Kind         `yaml:"kind"`
		Scale        string       `yaml:"scale"`
		Options      []optionFile `yaml:"options"` // its own; after those of the scale, if both
		Reverse      bool         `yaml:"reverse"`
		Quick        bool         `yaml:"quick"`
		Shuffle      bool         `yaml:"shuffle"`
		Tense        bool         `yaml:"tense"` // of a core tracker: worded by tense
		ShowIf       *rule        `yaml:"show_if"`
		OfferFrom    string       `yaml:"offer_from"`
		ImpliedByOne bool         `yaml:"implied_by_one"`
		Parts        []part       `yaml:"parts"` // of a long list: a page each
	}
	pageFile struct {
		ID    string     `yaml:"id"`
		Items []itemFile `yaml:"items"`
	}
	questionnaireFile struct {
		Stage   Stage      `yaml:"stage"`
		Version int        `yaml:"version"`
		Core    int        `yaml:"core"`   // version of the core trackers it uses
		Scales  int        `yaml:"scales"` // version of the scales it uses
		Tense   string     `yaml:"tense"`  // will, are or did
		Pages   []pageFile `yaml:"pages"`
	}
	coreFile struct {
		Version int        `yaml:"version"`
		Items   []itemFile `yaml:"items"`
	}
	scaleFile struct {
		FixedShare bool         `yaml:"fixed_share"` // the share stays as it is when an item is reverse-worded
		Options    []optionFile `yaml:"options"`
	}
	scalesFile struct {
		Version int                  `yaml:"version"`
		Scales  map[string]scaleFile `yaml:"scales"`
		Groups  []string             `yaml:"groups"`
	}
	adviceFile struct {
		Version int           `yaml:"version"`
		Entries []AdviceEntry `yaml:"entries"`
	}
	alertRuleFile struct {
		ID      string              `yaml:"id"`
		Options map[string][]string `yaml:"options"` // item: options that raise it
		Phrases bool                `yaml:"phrases"` // raised by words, listed by language
	}
	alertsFile struct {
		Version int             `yaml:"version"`
		Rules   []alertRuleFile `yaml:"rules"`
	}

	itemText struct {
		Title   phrase            `yaml:"title"`
		Hint    phrase            `yaml:"hint"`
		Options map[string]phrase `yaml:"options"`
		Hints   map[string]phrase `yaml:"hints"` // under an option
	}
	pageText struct {
		Title   phrase `yaml:"title"`
		Opening phrase `yaml:"opening"`
	}
	// textFile is a language file of any kind; each kind uses the parts it needs.
	textFile struct {
		Lang      string                       `yaml:"lang"`
		Review    string                       `yaml:"review"`    // final, or draft: awaiting professional review
		Name      string                       `yaml:"name"`      // of scales: the language in itself
		Direction string                       `yaml:"direction"` // of scales: ltr or rtl
		Pages     map[string]pageText          `yaml:"pages"`
		Items     map[string]itemText          `yaml:"items"`
		Scales    map[string]map[string]phrase `yaml:"scales"`
		Groups    map[string]phrase            `yaml:"groups"`
		Phrases   map[string][]string          `yaml:"phrases"`
	}
)

// phrase is a wording: one text for both persons, or one for each.
type phrase struct{ self, proxy string }

// UnmarshalYAML reads a plain text or a pair of self and proxy.
func (p *phrase) UnmarshalYAML(unmarshal func(any) error) error {
	var s string
	if err := unmarshal(&s); err == nil {
		p.self, p.proxy = s, s
		return nil
	}
	var pair struct {
		Self  string `yaml:"self"`
		Proxy string `yaml:"proxy"`
	}
	if err := unmarshal(&pair); err != nil {
		return err
	}
	if strings.TrimSpace(pair.Self) == "" || strings.TrimSpace(pair.Proxy) == "" {
		return errors.New("a wording is a text, or both self and proxy")
	}
	p.self, p.proxy = pair.Self, pair.Proxy
	return nil
}

func (p phrase) empty() bool { return strings.TrimSpace(p.self) == "" }

func (p phrase) of(proxy bool) string {
	if proxy {
		return p.proxy
	}
	return p.self
}
