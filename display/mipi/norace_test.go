//go:build !race

package mipi

// stride is 1: tests walk everything.
const stride = 1
