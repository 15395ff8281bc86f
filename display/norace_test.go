//go:build !race

package display

// stride is 1: tests walk everything.
const stride = 1
