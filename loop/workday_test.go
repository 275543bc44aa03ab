package loop

import (
	"testing"
	"time"
)

func TestNextWorkingDay(t *testing.T) {
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		"2026-03-02 10:00": "2026-03-03 17:00", // Monday to Tuesday
		"2026-03-06 23:30": "2026-03-09 17:00", // Friday night to Monday
		"2026-03-07 09:00": "2026-03-09 17:00",
		"2026-04-02 12:00": "2026-04-07 17:00", // Thursday before Easter to the Tuesday after
		"2026-05-01 12:00": "2026-05-05 17:00", // first Monday of May
		"2026-05-22 12:00": "2026-05-26 17:00", // last Monday of May
		"2026-08-28 12:00": "2026-09-01 17:00", // last Monday of August
		"2026-12-24 12:00": "2026-12-29 17:00", // Boxing Day on a Saturday: Monday instead
		"2021-12-24 12:00": "2021-12-29 17:00", // Christmas on a Saturday
		"2022-12-23 12:00": "2022-12-28 17:00", // Christmas on a Sunday
		"2020-12-24 12:00": "2020-12-29 17:00", // Christmas on a Friday
		"2021-12-31 12:00": "2022-01-04 17:00", // New Year's Day on a Saturday
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", from, london)
		if err != nil {
			t.Fatal(err)
		}
		if got := NextWorkingDay(at, london).In(london).Format("2006-01-02 15:04"); got != want {
			t.Errorf("after %s: %s, want %s", from, got, want)
		}
	}
}

func TestEaster(t *testing.T) { // dates of the Gregorian Easter, as any almanac gives them
	for year, want := range map[int]string{2024: "03-31", 2025: "04-20", 2026: "04-05", 2027: "03-28", 2038: "04-25"} {
		if got := easterSunday(year).Format("01-02"); got != want {
			t.Errorf("%d: %s, want %s", year, got, want)
		}
	}
}
