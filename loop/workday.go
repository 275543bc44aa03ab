package loop

import "time"

// NextWorkingDay is the end of the next working day after t: 17:00 in the given
// zone on the first day after t's that is neither a weekend nor a bank holiday of
// England and Wales.
func NextWorkingDay(t time.Time, loc *time.Location) time.Time {
	local := t.In(loc)
	for n := 1; ; n++ {
		d := time.Date(local.Year(), local.Month(), local.Day()+n, 17, 0, 0, 0, loc)
		if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday && !bankHoliday(d) {
			return d.UTC()
		}
	}
}

// bankHoliday tells the regular bank holidays of England and Wales by rule
// (Banking and Financial Dealings Act 1971 and the yearly proclamations):
// substitute days included, one-off holidays not.
func bankHoliday(d time.Time) bool {
	y, m, day := d.Date()
	weekday := d.Weekday()
	switch {
	case m == time.January: // New Year's Day, or the Monday after
		return day == 1 && weekday != time.Saturday && weekday != time.Sunday || weekday == time.Monday && (day == 2 || day == 3)
	case m == time.May && weekday == time.Monday: // first and last Monday
		return day <= 7 || day > 24
	case m == time.August && weekday == time.Monday: // last Monday
		return day > 24
	case m == time.December && day >= 25: // Christmas and Boxing Day, with substitutes
		switch time.Date(y, time.December, 25, 0, 0, 0, 0, time.UTC).Weekday() {
		case time.Friday:
			return day == 25 || day == 28
		case time.Saturday:
			return day == 27 || day == 28
		case time.Sunday:
			return day == 26 || day == 27
		default:
			return day == 25 || day == 26
		}
	}
	easter := easterSunday(y)
	date := time.Date(y, m, day, 0, 0, 0, 0, time.UTC)
	return date.Equal(easter.AddDate(0, 0, -2)) || date.Equal(easter.AddDate(0, 0, 1))
}

// easterSunday by the Gregorian computus (anonymous algorithm, Meeus/Jones/Butcher).
func easterSunday(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	month := (h + l - 7*m + 114) / 31
	day := (h+l-7*m+114)%31 + 1
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}
