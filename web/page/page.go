// Package page owns what every page for people shares: templates parsed at
// start and rendered to a buffer, the layouts, one partial a form control, words
// by language, and the static files under addresses that change with their
// content.
package page

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"victimvoice/internal/edge"
)

//go:embed templates static
var own embed.FS

// StaticPrefix begins the paths of static files.
const StaticPrefix = "/static/"

// staticAge is how long a browser may keep a static file; its address changes
// with its content.
const staticAge = 365 * 24 * time.Hour

// Book is a room's templates, ready to print. Safe for many goroutines.
type Book struct {
	pages map[string]*template.Template
}

// NewBook parses a room's pages: every *.html at the top of files, each with the
// shared layouts and partials and the room's own _*.html. A template that does not
// parse is a start-up failure.
func NewBook(files fs.FS) (*Book, error) {
	assets, err := loadAssets()
	if err != nil {
		return nil, err
	}
	base, err := template.New("base").Option("missingkey=error").Funcs(template.FuncMap{
		"asset": assets.address,
		"dict":  dict,
		"join":  strings.Join,
		"has":   slices.Contains[[]string],
	}).ParseFS(own, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse the shared templates: %w", err)
	}
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	var shared, pages []string
	for _, n := range names {
		if strings.HasPrefix(n, "_") {
			shared = append(shared, n)
		} else {
			pages = append(pages, n)
		}
	}
	if len(shared) > 0 {
		if base, err = base.ParseFS(files, shared...); err != nil {
			return nil, fmt.Errorf("parse a room's shared templates: %w", err)
		}
	}
	b := &Book{pages: map[string]*template.Template{}}
	for _, n := range pages {
		t, err := base.Clone()
		if err != nil {
			return nil, fmt.Errorf("clone the shared templates: %w", err)
		}
		if t, err = t.ParseFS(files, n); err != nil {
			return nil, fmt.Errorf("parse %s: %w", n, err)
		}
		t = t.Lookup(n)
		// Escaping is worked out at the first print: do it now, so that a template that cannot be made safe fails at start.
		var unsafe *template.Error
		if err := t.Execute(io.Discard, nil); errors.As(err, &unsafe) {
			return nil, fmt.Errorf("escape %s: %w", n, err)
		}
		b.pages[strings.TrimSuffix(path.Base(n), ".html")] = t
	}
	return b, nil
}

// Print renders a page to a buffer; only a whole page is ever written.
func (b *Book) Print(name string, data any) ([]byte, error) {
	t, ok := b.pages[name]
	if !ok {
		return nil, fmt.Errorf("there is no page %q", name)
	}
	var buf bytes.Buffer
	if err := t.Execute(&buf, data); err != nil {
		return nil, fmt.Errorf("print %s: %w", name, err)
	}
	return buf.Bytes(), nil
}

// Show prints a page as the answer to a request.
func (b *Book) Show(c *gin.Context, status int, name string, data any) error {
	body, err := b.Print(name, data)
	if err != nil {
		return err
	}
	c.Data(status, "text/html; charset=utf-8", body)
	return nil
}

// See answers a form that was taken: 303 to a page of ours.
func See(c *gin.Context, to string) error {
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

// Static serves the static files.
func Static(r gin.IRouter) error {
	assets, err := loadAssets()
	if err != nil {
		return err
	}
	serve := func(c *gin.Context) error {
		a, ok := assets.byPath[c.Param("file")]
		if !ok {
			return errNoFile()
		}
		edge.Cacheable(c, staticAge)
		c.Data(http.StatusOK, a.kind, a.body)
		return nil
	}
	r.GET(StaticPrefix+":file", edge.Handle(serve))
	r.HEAD(StaticPrefix+":file", edge.Handle(serve))
	return nil
}

// dict makes the argument of a partial from name and value pairs.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict takes pairs, not %d values", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}
