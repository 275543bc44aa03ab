package victim

import (
	"hash/fnv"
	"math/rand/v2"

	"victimvoice/survey/questionnaires"
)

// shuffled gives an item's options in the order shown to this person: mixed
// within their heading where the item says so, the same each time they look, and
// those that stand alone last.
func shuffled(it *questionnaires.Item, seed string) []questionnaires.Option {
	options := append([]questionnaires.Option(nil), it.Options...)
	if !it.Shuffle {
		return options
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed + it.ID))     // a hash never fails to write
	r := rand.New(rand.NewPCG(h.Sum64(), 1)) //nolint:gosec // G404: an order on a page, not a secret
	for from := 0; from < len(options); {
		to := from + 1
		for to < len(options) && options[to].Group == options[from].Group && options[to].Exclusive == options[from].Exclusive {
			to++
		}
		part := options[from:to]
		if options[from].Group != "" && !options[from].Exclusive {
			r.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		}
		from = to
	}
	return options
}
