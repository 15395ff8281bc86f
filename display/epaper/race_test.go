//go:build race

package epaper

// stride thins out tests that walk many panels: the race detector makes each ten
// times slower, and finds in a part of them what there is.
const stride = 5
