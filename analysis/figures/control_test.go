package figures

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Weekly attendances at major accident and emergency departments in England, and
// those seen within four hours: the data of Mohammed et al. 2013 (BMJ Quality &
// Safety 22:362–368), as published with the R package qicharts2 ("nhs_accidents").
// The limits are those that qicharts2 gives for its I and P′ charts.
var (
	seen     = []int{266501, 264225, 276532, 281461, 269071, 261215, 270409, 279778, 270483, 270320, 267923, 271478, 255353, 256820, 261835, 259144, 255910, 260863, 264465, 260989}
	attended = []int{280443, 276823, 291681, 296155, 282343, 275888, 283867, 295251, 284468, 282529, 279618, 283932, 266629, 268091, 276803, 271578, 266005, 273520, 278574, 273772}
	primeLow = []float64{94.0129644177514, 94.0046418625136, 94.0378065578540, 94.0473007477924, 94.0172684176090, 94.0024656780411, 94.0206894021525, 94.0453997966418, 94.0220309267922, 94.0176874218159, 94.0110819305953, 94.0208346975665, 93.9803013989125, 93.9838773390580, 94.0045954285496, 93.9922894027757, 93.9787661736249, 93.9969043981431, 94.0086877521430, 93.9974996522904}
)

func TestXmRPublished(t *testing.T) {
	t.Parallel()
	values := make([]float64, len(seen))
	for i := range seen {
		values[i] = 100 * float64(seen[i]) / float64(attended[i])
	}
	c, ok := XmR(values)
	if !ok || c.Points != 20 || c.Method != "XmR" {
		t.Fatalf("no chart: %+v", c)
	}
	// qicharts2 multiplies by 3/1.128 where Making Data Count rounds it to 2.66.
	const rounded = 2.66 / (3 / 1.128)
	for _, check := range []struct {
		name      string
		got, want float64
	}{
		{"centre", c.Centre, 95.2969910673603}, {"low", c.Limits[3].Low, 95.2969910673603 - 1.2844556766546*rounded}, {"high", c.Limits[3].High, 95.2969910673603 + 1.2844556766546*rounded},
		{"near low", c.Limits[0].NearLow, 95.2969910673603 - .8563037844364*rounded}, {"near high", c.Limits[0].NearHigh, 95.2969910673603 + .8563037844364*rounded},
	} {
		if math.Abs(check.got-check.want) > 1e-9 {
			t.Errorf("%s: got %.12f, want %.12f", check.name, check.got, check.want)
		}
	}
}

func TestLaneyPublished(t *testing.T) {
	t.Parallel()
	c, ok := Laney(seen, attended)
	if !ok || c.Method != "p′" || math.Abs(c.Centre-95.2899711344191) > 1e-9 {
		t.Fatalf("centre: %+v", c.Centre)
	}
	for i, want := range primeLow {
		l := c.Limits[i]
		if math.Abs(l.Low-want) > 1e-9 || math.Abs((c.Centre-l.Low)-(l.High-c.Centre)) > 1e-9 {
			t.Errorf("week %d: low %.12f, want %.12f", i+1, l.Low, want)
		}
	}
	// The plain binomial limits would be several times too narrow here.
	if c.Sigma < 10 {
		t.Errorf("sigma %.2f: the overdispersion of this series is known to be large", c.Sigma)
	}
}

// Eleven values in a row, then one far away: the last range (62) is above 3.267
// times the average of the ranges ((10×2+62)/11 = 7.4545), so it is left out once
// and the average is 2 again.
func TestScreeningOnce(t *testing.T) {
	t.Parallel()
	v := []float64{50, 52, 50, 52, 50, 52, 50, 52, 50, 52, 50, 112}
	mean := (5*52 + 6*50 + 112) / 12.0
	c, ok := XmR(v)
	if !ok || math.Abs(c.Limits[0].High-(mean+2.66*2)) > 1e-9 || math.Abs(c.Limits[0].Low-(mean-2.66*2)) > 1e-9 {
		t.Errorf("limits %+v around %.4f", c.Limits[0], mean)
	}
}

func TestNoLimits(t *testing.T) {
	t.Parallel()
	eleven := make([]float64, 11)
	if _, ok := XmR(eleven); ok {
		t.Error("limits from eleven points")
	}
	if _, ok := XmR(append(slices.Clone(eleven), math.NaN(), math.NaN())); ok {
		t.Error("missing values were counted as points")
	}
	n, x := make([]int, 14), make([]int, 14)
	for i := range n {
		n[i] = 50
	}
	if _, ok := Laney(x, n); ok {
		t.Error("p′ limits although no answer ever differed")
	}
	n[0], n[1], n[2] = 0, 0, 0
	x[5] = 3
	if _, ok := Laney(x, n); ok {
		t.Error("p′ limits from eleven points")
	}
}

func TestLimitsStayOnTheScale(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(MinLimitPoints, 60).Draw(t, "points")
		x, n, v := make([]int, k), make([]int, k), make([]float64, k)
		for i := range n {
			n[i] = rapid.IntRange(1, 500).Draw(t, "n")
			x[i] = rapid.IntRange(0, n[i]).Draw(t, "x")
			v[i] = 100 * float64(x[i]) / float64(n[i])
		}
		for _, c := range charts(v, x, n) {
			for i, l := range c.Limits {
				ordered := 0 <= l.Low && l.Low <= l.NearLow && l.NearLow <= c.Centre+1e-9 && c.Centre <= l.NearHigh+1e-9 && l.NearHigh <= l.High && l.High <= 100
				if !ordered {
					t.Fatalf("%s point %d: %+v around %.3f", c.Method, i, l, c.Centre)
				}
			}
		}
	})
}

func charts(v []float64, x, n []int) (out []Control) {
	if c, ok := XmR(v); ok {
		out = append(out, c)
	}
	if c, ok := Laney(x, n); ok {
		out = append(out, c)
	}
	return out
}

func TestSignals(t *testing.T) {
	t.Parallel()
	gap := math.NaN()
	flat := Control{Centre: 50, Limits: slices.Repeat([]Limit{{Low: 40, High: 60, NearLow: 43, NearHigh: 57}}, 20)}
	tests := []struct {
		name   string
		values []float64
		want   []Signal
	}{
		{"nothing", []float64{51, 49, 52, 48, 51, 49}, nil},
		{"above the limit", []float64{51, 61, 49}, []Signal{{RuleOutside, 1, 1, true}}},
		{"on the limit is inside it", []float64{51, 60, 49}, nil},
		{"below the limit", []float64{51, 39, 52}, []Signal{{RuleOutside, 1, 1, false}}},
		{"six on a side", []float64{51, 52, 51, 52, 51, 52, 49}, nil},
		{"seven on a side", []float64{49, 51, 52, 51, 52, 51, 52, 51, 49}, []Signal{{RuleShift, 1, 7, true}}},
		{"nine on a side are one signal", []float64{48, 49, 48, 49, 48, 49, 48, 49, 48}, []Signal{{RuleShift, 0, 8, false}}},
		{"a point on the line ends a run", []float64{51, 52, 51, 50, 51, 52, 51, 52}, nil},
		{"a gap ends a run", []float64{51, 52, 51, gap, 52, 51, 52, 51}, nil},
		{"six rising", []float64{45, 46, 47, 48, 51, 52}, nil},
		{"seven rising", []float64{46, 45, 46, 47, 48, 51, 52, 53, 51}, []Signal{{RuleTrend, 1, 7, true}}},
		{"seven falling", []float64{55, 54, 53, 51, 49, 47, 46}, []Signal{{RuleTrend, 0, 6, false}}},
		{"a gap ends a trend", []float64{45, 46, 47, gap, 51, 52, 53, 54}, nil},
		{"two of three near", []float64{49, 58, 51, 58, 49}, []Signal{{RuleNear, 1, 3, true}}},
		{"two of three near, third on the other side", []float64{49, 58, 49, 58, 49}, nil},
		{"two near on different sides", []float64{49, 58, 42, 51}, nil},
		{"four near are one signal", []float64{49, 58, 58, 51, 58, 58, 49}, []Signal{{RuleNear, 1, 5, true}}},
		{"an outside point is beyond the near-limit too", []float64{49, 61, 51, 58, 49}, []Signal{{RuleOutside, 1, 1, true}, {RuleNear, 1, 3, true}}},
	}
	for _, tt := range tests {
		if got := Signals(tt.values, flat); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// The published false-alarm rates are what a simulation of stable processes gives.
func TestFalseAlarmRate(t *testing.T) {
	t.Parallel()
	const charts = 20000
	rng := rand.New(rand.NewPCG(20261123, 7))
	for _, f := range falseAlarms {
		alarms := 0
		v := make([]float64, f.points)
		for range charts {
			for i := range v {
				v[i] = 50 + 3*rng.NormFloat64()
			}
			c, _ := XmR(v)
			if len(Signals(v, c)) > 0 {
				alarms++
			}
		}
		got := float64(alarms) / charts
		t.Logf("%d points: %.3f of stable charts signal (stated %.2f)", f.points, got, f.share)
		if math.Abs(got-f.share) > .01 {
			t.Errorf("%d points: simulated %.3f, stated %.3f", f.points, got, f.share)
		}
	}
	if r := FalseAlarmRate(24); math.Abs(r-.185) > 1e-12 {
		t.Errorf("24 points: %.3f", r)
	}
	if FalseAlarmRate(11) != 0 {
		t.Error("a chart without limits can't signal")
	}
	for n := MinLimitPoints; n < 200; n++ {
		if FalseAlarmRate(n+1) < FalseAlarmRate(n) {
			t.Errorf("the rate falls at %d points", n)
		}
	}
}
