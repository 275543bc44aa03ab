package page

import (
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"
)

// control is the markup of one form control, as a page would have it.
func control(t *testing.T, partial string, f Field) (string, *html.Node) {
	t.Helper()
	book, err := NewBook(fstest.MapFS{"one.html": &fstest.MapFile{Data: []byte(`{{template "` + partial + `" .}}`)}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := book.Print("one", f)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b), doc
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// spoken gives the text of a node, as a screen reader would put it together.
func spoken(n *html.Node) string {
	var words []string
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			words = append(words, strings.Fields(d.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// Every control is named by its label, described by its hint and its error, and
// found by the error summary, whatever it has of them.
func TestControlsAreTied(t *testing.T) {
	t.Parallel()
	choices := []Choice{{Value: "a", Label: "One"}, {Value: "b", Label: "Two", Hint: "or three"}, {Value: "c", Label: "None", Apart: true, Exclusive: true}}
	for _, partial := range []string{"input", "textarea", "select", "radios", "checkboxes"} {
		for _, hint := range []string{"", "A hint"} {
			for _, fault := range []string{"", "Choose one"} {
				text, doc := control(t, partial, Field{Name: "some.name", Label: "A question", Hint: hint, Error: fault, Value: "b", Choices: choices})
				ids, labels := map[string]*html.Node{}, map[string]string{}
				var controls []*html.Node
				var described *html.Node
				for n := range doc.Descendants() {
					if id := attr(n, "id"); id != "" {
						if ids[id] != nil {
							t.Errorf("%s: the id %s is there twice:\n%s", partial, id, text)
						}
						ids[id] = n
					}
					if n.Data == "label" && attr(n, "for") != "" {
						labels[attr(n, "for")] = spoken(n)
					}
					if n.Type == html.ElementNode && (n.Data == "input" || n.Data == "textarea" || n.Data == "select") {
						controls = append(controls, n)
					}
					if attr(n, "aria-describedby") != "" {
						described = n
					}
				}
				if ids["some.name"] == nil || attr(ids["some.name"], "name") != "some.name" {
					t.Errorf("%s: the error summary leads nowhere:\n%s", partial, text)
				}
				said := ""
				if described != nil {
					for id := range strings.FieldsSeq(attr(described, "aria-describedby")) {
						if ids[id] == nil {
							t.Fatalf("%s: described by %s, which is not there:\n%s", partial, id, text)
						}
						said += spoken(ids[id]) + "|"
					}
				}
				want := ""
				if hint != "" {
					want += hint + "|"
				}
				if fault != "" {
					want += "Problem: " + fault + "|"
				}
				if said != want {
					t.Errorf("%s: described as %q, want %q:\n%s", partial, said, want, text)
				}
				var names []string
				for _, n := range controls {
					if n.Parent.Data == "label" {
						names = append(names, spoken(n.Parent))
					} else {
						names = append(names, labels[attr(n, "id")])
					}
				}
				wanted := "A question"
				if partial == "radios" || partial == "checkboxes" {
					wanted = "One|Two or three|None"
					for _, n := range controls {
						if checked := strings.Contains(text, `value="`+attr(n, "value")+`" checked`) || strings.Contains(text, `id="`+attr(n, "id")+`" checked`) && attr(n, "id") != ""; checked != (attr(n, "value") == "b") {
							t.Errorf("%s: %s checked: %t", partial, attr(n, "value"), checked)
						}
					}
				}
				if got := strings.Join(names, "|"); got != wanted {
					t.Errorf("%s: named %q, want %q:\n%s", partial, got, wanted, text)
				}
			}
		}
	}
}

// A row is as light as it can be: it is most of the weight of a long list.
func TestRowsAreLight(t *testing.T) {
	t.Parallel()
	const most = 100 // bytes of a row beside its name, value and words
	text, _ := control(t, "checkboxes", Field{Name: "n", Choices: []Choice{{Value: "a", Label: "One"}, {Value: "b", Label: "Two"}}})
	for row := range strings.Lines(text) {
		if strings.HasPrefix(row, "<label") && len(row) > most {
			t.Errorf("%d bytes: %s", len(row), row)
		}
	}
}
