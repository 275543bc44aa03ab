package figures

import (
	"context"
	"fmt"
	"slices"

	"victimvoice/internal/fault"
)

// Unheard sets those who answered against all who were invited and all who were
// recorded, by one dimension.
type Unheard struct {
	Stage  string
	Dim    string
	All    UnheardRow
	Groups []UnheardRow
	// Against which measures' definitions this is counted.
	Invited, Complete Measure
}

// UnheardRow is one group. Of a withheld one only its name and the reason are given.
type UnheardRow struct {
	Key        map[string]string
	Value      string // of the dimension; empty: all together
	Suppressed bool
	Reason     string // why there is nothing
	Recorded   int    // askings that fell due, whatever became of them: everyone recorded, once a survey
	Complete   int
	Small      bool
	// Those invited may be withheld by themselves, where few were safe to ask and not asked.
	InvitedShown bool
	Invited      int

	// Of each hundred of all groups; OfInvited is -1 where one of its numbers is withheld.
	OfRecorded, OfInvited, OfComplete float64
	// The share of those recorded who answered, with its 95% interval.
	Heard Estimate
	// How far Heard lies from that of all others together; nil: of no others is anything shown.
	Apart *Difference
}

// Less reports whether a group is heard less than all others: Apart leaves out no difference.
func (u *UnheardRow) Less() bool { return u.Apart != nil && u.Apart.High < 0 }

// More is Less the other way.
func (u *UnheardRow) More() bool { return u.Apart != nil && u.Apart.Low > 0 }

// Unheard counts who is not heard, at a stage, by a dimension that is known of
// everybody: an area, the offence, the outcome, domestic abuse, age or sex as the
// police record them. It is made of the dissemination's published figures, and of
// differences between them that those give anyhow. Another dimension, and whatever is
// off the lattice, is fault Invalid.
func (p *Panel) Unheard(ctx context.Context, q Query, dim string) (Unheard, error) {
	m, _ := p.Measure("dissemination.complete")
	if g := groupOf(dim); !m.Takes(dim) || g != groupArea && g != groupAttribute {
		return Unheard{}, fault.Fields("this can't be counted", fault.Field{Field: "by", Message: "is one of force, bcu, borough, offence, outcome, domestic_abuse, age_band or sex: what is known of those who did not answer too"})
	}
	if len(q.By) > 0 {
		return Unheard{}, fault.Fields("this can't be counted", fault.Field{Field: "by", Message: "takes one dimension"})
	}
	out := Unheard{Stage: q.Stage, Dim: dim}
	var all, by [2]Result
	for n, step := range []string{"invited", "complete"} {
		var err error
		q.Measure, q.By = "dissemination."+step, nil
		if all[n], err = p.Figures(ctx, q); err != nil {
			return Unheard{}, err
		}
		q.By = []string{dim}
		if by[n], err = p.Figures(ctx, q); err != nil {
			return Unheard{}, err
		}
	}
	out.Invited, out.Complete = all[0].Measure, all[1].Measure
	if len(all[0].Points) == 0 || len(all[1].Points) == 0 {
		return out, nil
	}
	out.All = unheardRow(&all[0].Points[0], &all[1].Points[0])
	for i := range by[0].Points {
		invited := &by[0].Points[i]
		j := slices.IndexFunc(by[1].Points, func(c Point) bool { return c.Key[dim] == invited.Key[dim] && c.Key[DimForce] == invited.Key[DimForce] })
		if j < 0 {
			continue
		}
		row := unheardRow(invited, &by[1].Points[j])
		row.Value = invited.Key[dim]
		row.against(&out.All)
		out.Groups = append(out.Groups, row)
	}
	return out, nil
}

func unheardRow(invited, complete *Point) UnheardRow {
	row := UnheardRow{Key: complete.Key, OfInvited: -1}
	switch {
	case complete.Suppressed:
		row.Suppressed, row.Reason = true, complete.Reason
		return row
	case complete.Share == nil:
		row.Reason = ReasonNoneRecorded
		return row
	}
	row.Recorded, row.Complete, row.Small = complete.Base, complete.Numerator, complete.Small
	row.Heard = Estimate{*complete.Share, *complete.Low, *complete.High}
	if invited.Share != nil {
		row.InvitedShown, row.Invited = true, invited.Numerator
	}
	return row
}

// ReasonNoneRecorded says why a group has no row.
const ReasonNoneRecorded = "no one has been recorded"

// against sets a group against all groups together, and against all others.
func (u *UnheardRow) against(all *UnheardRow) {
	if u.Reason != "" || all.Reason != "" {
		return
	}
	of := func(part, whole int) float64 {
		if whole == 0 {
			return 0
		}
		return 100 * float64(part) / float64(whole)
	}
	u.OfRecorded, u.OfComplete = of(u.Recorded, all.Recorded), of(u.Complete, all.Complete)
	if u.InvitedShown && all.InvitedShown {
		u.OfInvited = of(u.Invited, all.Invited)
	}
	// The others are what is left of two published figures. They are said nothing of
	// where they could not be published themselves.
	num, base := all.Complete-u.Complete, all.Recorded-u.Recorded
	if Primary(num, base) != "" {
		return
	}
	if d, ok := Newcombe(u.Complete, u.Recorded, num, base); ok {
		u.Apart = &d
	}
}

// Words say what the table shows, and no more.
func (u *Unheard) Words() string {
	less, shown := 0, 0
	for i := range u.Groups {
		if u.Groups[i].Apart != nil {
			shown++
		}
		if u.Groups[i].Less() {
			less++
		}
	}
	if shown == 0 {
		return ""
	}
	return fmt.Sprintf("Of %d groups that can be set against all others, %d answered less than the others by more than chance readily gives; about one in twenty would by chance alone lie apart, one way or the other. Why, this does not say: whom it was safe to ask plays a part.", shown, less)
}
