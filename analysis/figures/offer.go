package figures

import "slices"

// Takes reports whether the lattice has a measure's figures by a dimension at all.
// Pages offer what it says; a query for anything else is fault Invalid.
func (m *Measure) Takes(dim string) bool {
	switch {
	case groupOf(dim) == "":
		return false
	case !m.askings:
		return true
	}
	return dim != DimMode && dim != DimQuestionnaire && AboutItem(dim) == ""
}

// Values lists what an attribute can be, in the order in which tables show it; nil
// for a dimension that is no attribute. What nobody has is in it too: a list says
// nothing of anybody.
func (p *Panel) Values(dim string) []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if dim == DimMode {
		return modes()
	}
	if groupOf(dim) != groupAttribute {
		return nil
	}
	values, _ := p.attribute(dim)
	return slices.Clone(values)
}
