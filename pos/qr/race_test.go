//go:build race

package qr

// stride thins out tests that walk many pictures or lengths: the race detector
// makes each fifty times slower, and finds in a tenth of them what there is.
const stride = 11
