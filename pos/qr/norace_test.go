//go:build !race

package qr

// stride is 1: tests walk everything.
const stride = 1
