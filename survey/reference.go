package survey

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

//go:embed reference/geography.csv reference/policy.yaml
var referenceFS embed.FS

// Policy says when people are asked. It is data: see reference/policy.yaml.
type Policy struct {
	Version  int    `yaml:"version"`
	Zone     string `yaml:"zone"`
	SafeFrom string `yaml:"safe_from"`
	SafeTo   string `yaml:"safe_to"`

	Stages map[Stage]StagePolicy `yaml:"stages"`

	Reminder struct {
		AfterHours int `yaml:"after_hours"`
	} `yaml:"reminder"`
	Spacing struct {
		BetweenHours         int `yaml:"between_hours"`
		BeforeWithdrawnHours int `yaml:"before_withdrawn_hours"`
	} `yaml:"spacing"`
	SittingMinutes int `yaml:"sitting_minutes"`

	loc *time.Location
}

// StagePolicy is the policy of one stage, in hours from the event it counts from.
type StagePolicy struct {
	AfterHours  int `yaml:"after_hours"`
	EveryHours  int `yaml:"every_hours"`
	Rounds      int `yaml:"rounds"`
	LatestHours int `yaml:"latest_hours"`
	OpenHours   int `yaml:"open_hours"`
}

func hours(n int) time.Duration { return time.Duration(n) * time.Hour }

// DefaultPolicy reads the embedded policy.
func DefaultPolicy() (*Policy, error) {
	b, err := referenceFS.ReadFile("reference/policy.yaml")
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	return ParsePolicy(b)
}

// ParsePolicy reads and checks a policy, reporting every fault at once.
func ParsePolicy(b []byte) (*Policy, error) {
	var p Policy
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&p); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	var errs []error
	loc, err := time.LoadLocation(p.Zone)
	if err != nil || p.Zone == "" {
		errs = append(errs, fmt.Errorf("zone %q: want an IANA zone such as Europe/London", p.Zone))
	}
	p.loc = loc
	for _, c := range []struct{ name, value string }{{"safe_from", p.SafeFrom}, {"safe_to", p.SafeTo}} {
		if _, err := clockMinutes(c.value); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	for _, s := range Stages() {
		sp, ok := p.Stages[s]
		if !ok {
			errs = append(errs, fmt.Errorf("stages: %s is missing", s))
			continue
		}
		if sp.AfterHours < 0 || sp.LatestHours <= sp.AfterHours && s != StageInvestigation || sp.OpenHours <= 0 {
			errs = append(errs, fmt.Errorf("stages.%s: want 0 ≤ after_hours < latest_hours and open_hours > 0", s))
		}
	}
	if inv := p.Stages[StageInvestigation]; inv.Rounds < 1 || inv.EveryHours <= 0 || inv.LatestHours <= 0 {
		errs = append(errs, errors.New("stages.investigation: want rounds ≥ 1, every_hours > 0 and latest_hours > 0"))
	}
	if len(p.Stages) != len(Stages()) {
		errs = append(errs, fmt.Errorf("stages: want just %v", Stages()))
	}
	if p.Reminder.AfterHours <= 0 || p.Spacing.BetweenHours < 0 || p.Spacing.BeforeWithdrawnHours < 0 || p.SittingMinutes <= 0 {
		errs = append(errs, errors.New("reminder, spacing, sitting_minutes: want whole numbers above zero"))
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("policy: %w", errors.Join(errs...))
	}
	return &p, nil
}

// Location is the zone that the policy's days and hours are of.
func (p *Policy) Location() *time.Location { return p.loc }

// Stages lists the stages in the order a case meets them.
func Stages() []Stage {
	return []Stage{StageReport, StageInvestigation, StageClosure, StageWithdrawn}
}

// Geography is the reference data of areas: for each force that has a list, its
// boroughs (the local authority areas of London and the City) and the basic
// command unit (BCU) that polices each. Source: the Metropolitan Police's BCU
// structure since 2018.
type Geography struct {
	forces map[string]*forceArea // by folded name
	names  []string
}

type forceArea struct {
	name     string
	boroughs map[string]Area // by folded name
	list     []Area
}

// Area is one borough with its BCU.
type Area struct{ Force, Borough, BCU string }

// DefaultGeography reads the embedded reference data.
func DefaultGeography() (*Geography, error) {
	b, err := referenceFS.ReadFile("reference/geography.csv")
	if err != nil {
		return nil, fmt.Errorf("read the geography: %w", err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("geography: %w", err)
	}
	if len(rows) < 2 || !slices.Equal(rows[0], []string{"force", "bcu_code", "bcu", "borough"}) {
		return nil, errors.New("geography: want the columns force, bcu_code, bcu, borough")
	}
	g := &Geography{forces: map[string]*forceArea{}}
	for i, r := range rows[1:] {
		key := foldName(r[0])
		f := g.forces[key]
		if f == nil {
			f = &forceArea{name: r[0], boroughs: map[string]Area{}}
			g.forces[key] = f
			g.names = append(g.names, r[0])
		}
		if _, twice := f.boroughs[foldName(r[3])]; twice {
			return nil, fmt.Errorf("geography: line %d: %s stands twice", i+2, r[3])
		}
		a := Area{Force: r[0], Borough: r[3], BCU: r[2]}
		f.boroughs[foldName(r[3])] = a
		f.list = append(f.list, a)
	}
	return g, nil
}

// Force gives a force's name as the reference data writes it, and whether the
// force has a list of boroughs. A force without a list keeps the name it came with.
func (g *Geography) Force(name string) (string, bool) {
	if f := g.forces[foldName(name)]; f != nil {
		return f.name, true
	}
	return name, false
}

// Borough looks a borough up in a force's list.
func (g *Geography) Borough(force, name string) (Area, bool) {
	f := g.forces[foldName(force)]
	if f == nil {
		return Area{}, false
	}
	a, ok := f.boroughs[foldName(name)]
	return a, ok
}

// Areas lists a force's boroughs in the order of the reference data.
func (g *Geography) Areas(force string) []Area {
	if f := g.forces[foldName(force)]; f != nil {
		return slices.Clone(f.list)
	}
	return nil
}

// Forces lists the forces that have a list of boroughs.
func (g *Geography) Forces() []string { return slices.Clone(g.names) }

// Nearest gives up to three of a force's boroughs whose names are closest.
func (g *Geography) Nearest(force, name string) []string {
	var names []string
	for _, a := range g.Areas(force) {
		names = append(names, a.Borough)
	}
	return nearest(name, names, 3)
}

// foldName makes two spellings of one name equal: case, blanks, "&" for "and",
// a leading "London Borough of" and hyphens do not matter.
func foldName(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, "&", " and "))
	s = strings.NewReplacer("-", " ", "'", "", "’", "", ".", "").Replace(s)
	s = strings.Join(strings.Fields(s), " ")
	for _, p := range []string{"london borough of ", "royal borough of ", "city of westminster"} {
		if p == s {
			return "westminster"
		}
		s = strings.TrimPrefix(s, p)
	}
	return s
}

// longestName bounds what is compared with the names we know, in bytes.
const longestName = 200

// nearest gives up to n of the candidates that are closest to s by edit
// distance, leaving out those that share too little with it to help.
func nearest(s string, candidates []string, n int) []string {
	type scored struct {
		name string
		d    int
	}
	if len(s) > longestName {
		return nil // nothing of ours is near, and the comparison would cost the square of it
	}
	var all []scored
	key := foldName(s)
	for _, c := range candidates {
		d := distance(key, foldName(c))
		if d <= max(2, len(key)/2) {
			all = append(all, scored{c, d})
		}
	}
	slices.SortStableFunc(all, func(a, b scored) int { return a.d - b.d })
	var out []string
	for _, a := range all[:min(n, len(all))] {
		out = append(out, a.name)
	}
	return out
}

// distance is the Levenshtein distance between two strings, by runes.
func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	prev := make([]int, len(rb)+1)
	for j := range prev {
		prev[j] = j
	}
	for i, ca := range ra {
		diag := prev[0]
		prev[0] = i + 1
		for j, cb := range rb {
			cost := diag
			if ca != cb {
				cost = min(diag, prev[j], prev[j+1]) + 1
			}
			diag, prev[j+1] = prev[j+1], cost
		}
	}
	return prev[len(rb)]
}

// clockMinutes reads "HH:MM" as minutes after midnight.
func clockMinutes(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time of day; want HH:MM such as 09:00", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}
