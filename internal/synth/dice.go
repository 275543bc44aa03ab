package synth

import (
	"math"
	"math/rand/v2"
	"time"
)

const day = 24 * time.Hour

// dice is one stream of chance.
type dice struct{ *rand.Rand }

// The streams of a case: each of its parts draws from its own, so that a change
// to one part leaves the others as they were.
const (
	streamEvents uint64 = iota + 1
	streamPerson
	streamTraits
	streamReply
	streamAnswers
	streamWords
	streamStaff
	streamAbout
)

// dice begins a stream.
func (w *World) dice(stream uint64, keys ...uint64) dice {
	a, b := mix(w.opts.Seed, stream), mix(^w.opts.Seed, stream)
	for _, k := range keys {
		a, b = mix(a, k), mix(b, ^k)
	}
	return dice{rand.New(rand.NewPCG(a, b))} // chance that must be repeatable, and guards nothing
}

// mix joins two numbers into one whose every bit depends on both (the finisher
// of SplitMix64).
func mix(a, b uint64) uint64 {
	z := a + 0x9e3779b97f4a7c15*(b+1)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// key makes a word part of a stream's name.
func key(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func (d dice) chance(p float64) bool { return d.Float64() < p }

// weigh draws an index by weight.
func (d dice) weigh(weights []float64) int {
	total := 0.0
	for _, v := range weights {
		total += v
	}
	r := d.Float64() * total
	for i, v := range weights {
		if r -= v; r < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// between draws evenly from a span.
func (d dice) between(low, high time.Duration) time.Duration {
	return (low + time.Duration(d.Float64()*float64(high-low))).Truncate(time.Second)
}

// after draws a waiting time with the given mean.
func (d dice) after(mean time.Duration) time.Duration {
	return time.Duration(d.ExpFloat64() * float64(mean)).Truncate(time.Second)
}

func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// share is a value with its weight.
type share[T any] struct {
	value  T
	weight float64
}

func draw[T any](d dice, list []share[T]) T {
	total := 0.0
	for _, s := range list {
		total += s.weight
	}
	r := d.Float64() * total
	for _, s := range list {
		if r -= s.weight; r < 0 {
			return s.value
		}
	}
	return list[len(list)-1].value
}

// normal is the cumulative normal distribution.
func normal(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// probit is its inverse.
func probit(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
