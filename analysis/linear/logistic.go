package linear

import "math"

// Logistic is a small dense logistic regression.
type Logistic struct {
	W []float64 // the last is the constant
}

// Sigmoid is the logistic function.
func Sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// P gives the probability for dense features.
func (l *Logistic) P(f []float64) float64 {
	return Sigmoid(l.Z(f))
}

// Z gives the log-odds for dense features.
func (l *Logistic) Z(f []float64) float64 {
	z := l.W[len(f)]
	for i, v := range f {
		z += l.W[i] * v
	}
	return z
}

// FitLogistic fits by Newton's method with an L2 penalty on each weight but the
// constant.
func FitLogistic(x [][]float64, y []bool, penalty func(i int) float64) *Logistic {
	if len(x) == 0 {
		return nil
	}
	d := len(x[0]) + 1
	w := make([]float64, d)
	h := make([]float64, d*d)
	g := make([]float64, d)
	for range 30 {
		for i := range h {
			h[i] = 0
		}
		for i := range g {
			g[i] = 0
		}
		for i := range d - 1 {
			g[i] = penalty(i) * w[i]
			h[i*d+i] = penalty(i)
		}
		h[d*d-1] = 1e-6
		l := Logistic{w}
		for k, f := range x {
			p := l.P(f)
			e := p
			if y[k] {
				e--
			}
			q := max(p*(1-p), 1e-9)
			for i := range d {
				fi := 1.0
				if i < d-1 {
					fi = f[i]
				}
				if fi == 0 {
					continue
				}
				g[i] += e * fi
				for j := i; j < d; j++ {
					fj := 1.0
					if j < d-1 {
						fj = f[j]
					}
					h[i*d+j] += q * fi * fj
				}
			}
		}
		for i := range d {
			for j := range i {
				h[i*d+j] = h[j*d+i]
			}
		}
		for i := range d {
			h[i*d+i] += 1e-9
		}
		step := solve(h, g, d)
		size := 0.0
		for i := range w {
			w[i] -= step[i]
			size += math.Abs(step[i])
		}
		if size < 1e-7 {
			break
		}
	}
	return &Logistic{w}
}

// solve solves a symmetric positive definite system by Cholesky.
func solve(a, b []float64, d int) []float64 {
	l := make([]float64, d*d)
	for i := range d {
		for j := range i + 1 {
			s := a[i*d+j]
			for k := range j {
				s -= l[i*d+k] * l[j*d+k]
			}
			if i == j {
				l[i*d+i] = math.Sqrt(max(s, 1e-12))
			} else {
				l[i*d+j] = s / l[j*d+j]
			}
		}
	}
	x := make([]float64, d)
	for i := range d {
		s := b[i]
		for k := range i {
			s -= l[i*d+k] * x[k]
		}
		x[i] = s / l[i*d+i]
	}
	for i := d - 1; i >= 0; i-- {
		s := x[i]
		for k := i + 1; k < d; k++ {
			s -= l[k*d+i] * x[k]
		}
		x[i] = s / l[i*d+i]
	}
	return x
}
