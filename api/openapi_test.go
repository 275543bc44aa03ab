package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"victimvoice/analysis/figures"
	"victimvoice/api/wire"
	"victimvoice/internal/edge"
	"victimvoice/internal/fault"
	"victimvoice/survey"
)

// schema is as much of JSON Schema as the description uses.
type schema struct {
	Type       any               `json:"type"`
	Enum       []any             `json:"enum"`
	MaxLength  int               `json:"maxLength"`
	MaxItems   int               `json:"maxItems"`
	Format     string            `json:"format"`
	Required   []string          `json:"required"`
	Properties map[string]schema `json:"properties"`
	Items      *schema           `json:"items"`
	Closed     any               `json:"additionalProperties"`
}

type operation struct {
	OperationID string                     `json:"operationId"`
	Responses   map[string]json.RawMessage `json:"responses"`
	Parameters  []struct {
		Name   string `json:"name"`
		Schema schema `json:"schema"`
	} `json:"parameters"`
}

type document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       struct{ Description string }    `json:"info"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas   map[string]schema          `json:"schemas"`
		Responses map[string]json.RawMessage `json:"responses"`
	} `json:"components"`
}

func described(t *testing.T) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(Description(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestEveryRouteIsDescribedAndEveryDescribedRouteExists(t *testing.T) {
	t.Parallel()
	d := described(t)
	var want, got []string
	for _, r := range newWorld(t).Routes() {
		if strings.HasPrefix(r.Path, edge.APIPrefix) {
			want = append(want, r.Method+" "+r.Path)
		}
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
			if op.OperationID == "" || len(op.Responses) == 0 {
				t.Errorf("%s %s has no id or no responses", method, path)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-routes +described):\n%s", diff)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1.") {
		t.Errorf("version %s", d.OpenAPI)
	}
	rec := newWorld(t).get("/api/v1/openapi.json", "")
	if rec.Code != http.StatusOK || !json.Valid(rec.Body.Bytes()) {
		t.Errorf("served with %d", rec.Code)
	}
}

// Every reference leads somewhere.
func TestReferences(t *testing.T) {
	t.Parallel()
	d := described(t)
	for part := range strings.SplitSeq(string(Description()), `"$ref": "`) {
		ref, _, _ := strings.Cut(part, `"`)
		name, isSchema := strings.CutPrefix(ref, "#/components/schemas/")
		if _, ok := d.Components.Schemas[name]; isSchema && !ok {
			t.Errorf("%s leads nowhere", ref)
		}
		name, isResponse := strings.CutPrefix(ref, "#/components/responses/")
		if _, ok := d.Components.Responses[name]; isResponse && !ok {
			t.Errorf("%s leads nowhere", ref)
		}
	}
}

// The described schemas are the structs: the names, the types, what is required,
// the lengths and the lists of values.
func TestSchemasAreTheStructs(t *testing.T) {
	t.Parallel()
	d := described(t)
	for name, of := range map[string]reflect.Type{
		"Event": reflect.TypeFor[survey.Event](), "Contact": reflect.TypeFor[survey.Contact](),
		"EventResult": reflect.TypeFor[outcome](), "BounceResult": reflect.TypeFor[returned](),
		"FieldError": reflect.TypeFor[fault.Field](), "Problem": reflect.TypeFor[edge.Problem](),
		"Measure": reflect.TypeFor[figures.Measure](), "Dimension": reflect.TypeFor[figures.Dimension](), "Catalogue": reflect.TypeFor[catalogue](),
		"Trend": reflect.TypeFor[figures.Trend](), "Figures": reflect.TypeFor[figures.Result](),
		"Estimate": reflect.TypeFor[figures.Estimate](), "Coding": reflect.TypeFor[figures.Coding](), "Sample": reflect.TypeFor[figures.Sample](),
	} {
		s := d.Components.Schemas[name]
		var names, required []string
		for f := range of.Fields() {
			tag, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if tag == "" || tag == "-" {
				continue
			}
			names = append(names, tag)
			p, ok := s.Properties[tag]
			if !ok {
				continue
			}
			rules := strings.Split(f.Tag.Get("validate"), ",")
			if slices.Contains(rules, "required") || (f.Tag.Get("validate") == "" && options != "omitempty") {
				required = append(required, tag)
			}
			for _, r := range rules {
				limit, isMax := strings.CutPrefix(r, "max=")
				if n, err := strconv.Atoi(limit); isMax && (err != nil || n != max(p.MaxLength, p.MaxItems)) {
					t.Errorf("%s.%s: described with a length of %d, checked with %s", name, tag, max(p.MaxLength, p.MaxItems), r)
				}
			}
			if want := jsonType(f.Type); want != "" && !hasType(p, want) {
				t.Errorf("%s.%s: described as %v, is %s", name, tag, p.Type, want)
			}
		}
		if diff := cmp.Diff(sorted(names), keysOf(s.Properties)); diff != "" {
			t.Errorf("%s (-struct +described):\n%s", name, diff)
		}
		if name == "Problem" || name == "Event" || name == "Contact" || name == "EventResult" || name == "FieldError" || name == "Catalogue" {
			if diff := cmp.Diff(sorted(required), sorted(s.Required)); diff != "" {
				t.Errorf("%s, required (-struct +described):\n%s", name, diff)
			}
		}
	}
	if diff := cmp.Diff(sorted(wire.BounceFields()), keysOf(d.Components.Schemas["Bounce"].Properties)); diff != "" {
		t.Errorf("Bounce (-read +described):\n%s", diff)
	}
	for name, limit := range map[string]int{"EventBatch": wire.MaxBatch, "BounceBatch": wire.MaxBatch} {
		if got := d.Components.Schemas[name].MaxItems; got != limit {
			t.Errorf("%s: described with %d, limited to %d", name, got, limit)
		}
	}
}

func TestListsOfValues(t *testing.T) {
	t.Parallel()
	d := described(t)
	event, contact := d.Components.Schemas["Event"], d.Components.Schemas["Contact"]
	for name, c := range map[string]struct {
		got  []any
		want []string
	}{
		"type": {event.Properties["type"].Enum, survey.EventTypes()}, "offence": {event.Properties["offence"].Enum, survey.Offences()},
		"outcome": {event.Properties["outcome"].Enum, survey.Outcomes()}, "safe_days": {contact.Properties["safe_days"].Items.Enum, []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}},
		"status": {d.Components.Schemas["EventResult"].Properties["status"].Enum, results()},
	} {
		var got []string
		for _, v := range c.got {
			if s, ok := v.(string); ok {
				got = append(got, s)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-ours +described):\n%s", name, diff)
		}
	}
	var dimensions, parameters []string
	for _, dim := range figures.Dimensions() {
		if dim.Group != "period" {
			dimensions = append(dimensions, dim.ID)
		}
	}
	for _, p := range d.Paths["/api/v1/figures"]["get"].Parameters {
		if !slices.Contains([]string{"measure", "by", "from", "to"}, p.Name) {
			parameters = append(parameters, p.Name)
		}
		if p.Name == "stage" {
			want := []any{string(survey.StageReport), string(survey.StageInvestigation), string(survey.StageClosure), string(survey.StageWithdrawn)}
			if diff := cmp.Diff(want, p.Schema.Enum); diff != "" {
				t.Errorf("stages (-ours +described):\n%s", diff)
			}
		}
	}
	if diff := cmp.Diff(sorted(dimensions), sorted(parameters)); diff != "" {
		t.Errorf("filters (-ours +described):\n%s", diff)
	}
	for _, limit := range []string{"64 KiB", "10,000 events", "16 MiB", "1,000 requests at once and 100 a second"} {
		if !strings.Contains(d.Info.Description, limit) {
			t.Errorf("the limit of %s is not stated", limit)
		}
	}
	if wire.MaxEvent != 64<<10 || wire.MaxBatch != 10_000 || MaxBody != 16<<20 || DefaultRate() != (edge.Rate{PerSecond: 100, Burst: 1000}) {
		t.Error("the limits are others than the description states")
	}
}

func jsonType(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Int, reflect.Int64:
		return "integer"
	case reflect.Float64:
		return "number"
	case reflect.Slice:
		return "array"
	}
	if t.String() == "time.Time" {
		return "string"
	}
	return ""
}

func hasType(s schema, want string) bool {
	switch t := s.Type.(type) {
	case string:
		return t == want
	case []any:
		return slices.Contains(t, any(want))
	}
	return false
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

func keysOf(m map[string]schema) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
