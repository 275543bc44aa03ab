package figures

import (
	"fmt"

	"victimvoice/internal/fault"
	"victimvoice/survey/questionnaires"
)

// aboutDims are the dimensions that people told of themselves, as the columns hold them.
func aboutDims() []string {
	return []string{DimAboutAge, DimAboutSex, DimAboutGender, DimAboutEthnicity, DimAboutDisability, DimAboutOrientation, DimAboutReligion}
}

// aboutKeys say where what a case's person told about themselves may stand; a zero
// one says nothing. They are looked up when a table is counted and not before:
// few people tell, and their rows may come before the case's or after it.
type aboutKeys [2]hash

// aboutColumns hold what people told about themselves, a row a person.
type aboutColumns struct {
	rows    map[hash]int32
	changed []stamp
	answers [][]uint16 // by dimension: number of the value; 0: not said
	values  []dict     // by dimension: the values in the order in which they are offered, the newest version's first
	words   []map[string]string
	forms   map[string]*questionnaires.Questionnaire
	place   map[string]int // item: its dimension
	buffer  []uint16
	live    int
}

func (c *aboutColumns) init(set *questionnaires.Set) {
	dims := aboutDims()
	c.rows, c.forms, c.place = map[hash]int32{}, map[string]*questionnaires.Questionnaire{}, map[string]int{}
	c.answers, c.values, c.buffer = make([][]uint16, len(dims)), make([]dict, len(dims)), make([]uint16, len(dims))
	c.words = make([]map[string]string, len(dims))
	for n, dim := range dims {
		c.place[AboutItem(dim)], c.values[n], c.words[n] = n, newDict(), map[string]string{}
	}
	for version := set.About().Version; version > 0; version-- {
		q, ok := set.ByID(fmt.Sprintf("%s/%d", set.About().Stage, version))
		if !ok {
			continue
		}
		c.forms[q.ID] = q
		text := q.Text("en", false)
		for i := range q.Items {
			n, ok := c.place[q.Items[i].ID]
			if !ok {
				continue
			}
			for _, o := range q.Items[i].Options {
				if _, known := c.words[n][o.Code]; !known && o.State == questionnaires.Answered {
					c.values[n].of(o.Code)
					c.words[n][o.Code] = text.Option(q.Items[i].ID, o.Code)
				}
			}
		}
	}
}

func (c *aboutColumns) row(key hash) int32 {
	if r, ok := c.rows[key]; ok {
		return r
	}
	r := int32(len(c.changed)) // #nosec G115 -- as for cases
	c.rows[key] = r
	c.changed = append(c.changed, 0)
	for n := range c.answers {
		c.answers[n] = append(c.answers[n], 0)
	}
	return r
}

func (p *Panel) applyAbout(r *AboutRow) (changed bool, err error) {
	c := &p.abouts
	i, s := c.row(p.hash(r.Key)), stampOf(r.ChangedAt, r.Gone)
	if s < c.changed[i] {
		return false, nil
	}
	clear(c.buffer)
	if !r.Gone {
		if err := c.read(r); err != nil {
			return false, err
		}
	}
	was := alive(c.changed[i])
	if was {
		c.live--
	}
	if !r.Gone {
		c.live++
	}
	changed = was == r.Gone
	c.changed[i] = s
	for n, v := range c.buffer {
		changed = changed || c.answers[n][i] != v
		c.answers[n][i] = v
	}
	return changed, nil
}

// read unpacks a row into the buffer. Whatever is not an answer is not said.
func (c *aboutColumns) read(r *AboutRow) error {
	q, ok := c.forms[r.Questionnaire]
	if !ok {
		return fault.New(fault.Invalid, "what a person told about themselves answers a questionnaire that is not known")
	}
	return q.Each(r.Packed, func(it *questionnaires.Item, state questionnaires.State, option int, _ uint64) {
		if n, ok := c.place[it.ID]; ok && state == questionnaires.Answered && option >= 0 {
			c.buffer[n] = c.values[n].of(it.Options[option].Code)
		}
	})
}

// AboutWords puts a value of a dimension that people told of themselves into
// words; empty for any other.
func (p *Panel) AboutWords(dim, value string) string {
	n, ok := p.abouts.place[AboutItem(dim)]
	if !ok {
		return ""
	}
	return p.abouts.words[n][value] // made once, with the panel
}

// attribute lays a dimension's values out as an axis, in the order in which they
// are offered, with those who have not said last.
func (c *aboutColumns) attribute(n int, keys []aboutKeys) (values []string, at func(response, caseRow int32) int) {
	names, col := c.values[n].names, c.answers[n]
	return append(append([]string(nil), names[1:]...), unknownValue), func(_, row int32) int {
		for _, key := range keys[row] {
			if i, ok := c.rows[key]; ok && alive(c.changed[i]) {
				if v := int(col[i]); v > 0 {
					return v - 1
				}
				break // told, and not this
			}
		}
		return len(names) - 1
	}
}
