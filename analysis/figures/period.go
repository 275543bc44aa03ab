package figures

import (
	"fmt"
	"strconv"
	"time"

	"victimvoice/internal/fault"
)

// Period names, as dimensions.
const (
	DimMonth   = "month"
	DimQuarter = "quarter"
	DimYear    = "year"
)

// firstYear is where months are counted from; nothing is reported before it.
const firstYear = 2000

// monthOf counts months since January 2000 in the given zone; -1 for a time
// that is not set or before then.
func monthOf(t time.Time, zone *time.Location) int16 {
	if t.IsZero() {
		return -1
	}
	l := t.In(zone)
	m := (l.Year()-firstYear)*12 + int(l.Month()) - 1
	if m < 0 || m > 12*400 {
		return -1
	}
	return int16(m) // #nosec G115 -- held to 4,800 above
}

// monthKey is a month as "2026-03".
func monthKey(m int) string { return fmt.Sprintf("%04d-%02d", firstYear+m/12, m%12+1) }

// quarterKey is the quarter, counted from 2000, as "2026-Q1".
func quarterKey(q int) string { return fmt.Sprintf("%04d-Q%d", firstYear+q/4, q%4+1) }

// yearKey is the year, counted from 2000, as "2026".
func yearKey(y int) string { return strconv.Itoa(firstYear + y) }

// PeriodWords gives a period in words: "March 2026", "January to March 2026", "2026".
// A text that is no period comes back as it is.
func PeriodWords(period string) string {
	if t, err := time.Parse("2006-01", period); err == nil {
		return t.Format("January 2006")
	}
	if len(period) == 7 && period[5] == 'Q' && period[6] >= '1' && period[6] <= '4' {
		first := time.Date(2000, time.Month(3*int(period[6]-'1')+1), 1, 0, 0, 0, 0, time.UTC)
		return first.Format("January") + " to " + first.AddDate(0, 2, 0).Format("January") + " " + period[:4]
	}
	return period
}

// Quarter reads a quarter, "2026-Q1", into its first day and that of the next. Another
// text is fault Invalid with the field quarter.
func Quarter(s string) (from, to time.Time, err error) {
	if len(s) == len("2026-Q1") && s[4:6] == "-Q" && s[6] >= '1' && s[6] <= '4' {
		if year, e := time.Parse("2006", s[:4]); e == nil {
			from = year.AddDate(0, 3*int(s[6]-'1'), 0)
			return from, from.AddDate(0, 3, 0), nil
		}
	}
	return from, to, fault.Fields("there is no such quarter", fault.Field{Field: "quarter", Message: "is a year and a quarter, such as 2026-Q1"})
}
