//go:build !race

package epaper

// stride is 1: tests walk everything.
const stride = 1
