package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"victimvoice/internal/fault"
)

type asset struct {
	kind string
	body []byte
}

type assetSet struct {
	byPath map[string]asset  // served name: content
	named  map[string]string // plain name: address
}

// kinds are the types of the static files we have.
var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// loadAssets reads the embedded files once; they never change in a process.
var loadAssets = sync.OnceValues(func() (*assetSet, error) {
	s := &assetSet{byPath: map[string]asset{}, named: map[string]string{}}
	files, err := fs.Glob(own, "static/*")
	if err != nil {
		return nil, fmt.Errorf("list static files: %w", err)
	}
	for _, f := range files {
		body, err := own.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f, err)
		}
		kind, ok := kinds[path.Ext(f)]
		if !ok {
			return nil, fmt.Errorf("static file %s: unknown type", f)
		}
		// The tokens come first, so that one file gives a face its colours and sizes.
		if strings.HasSuffix(f, ".css") && path.Base(f) != "tokens.css" {
			tokens, err := own.ReadFile("static/tokens.css")
			if err != nil {
				return nil, fmt.Errorf("read the style tokens: %w", err)
			}
			body = append(append([]byte{}, tokens...), body...)
		}
		sum := sha256.Sum256(body)
		name := hex.EncodeToString(sum[:6]) + "-" + path.Base(f)
		s.byPath[name] = asset{kind: kind, body: body}
		s.named[path.Base(f)] = StaticPrefix + name
	}
	return s, nil
})

// address is where a static file is found now; an unknown name fails the page.
func (s *assetSet) address(name string) (string, error) {
	a, ok := s.named[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return a, nil
}

func errNoFile() error { return fault.New(fault.NotFound, "There is nothing at this address.") }
