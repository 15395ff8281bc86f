//go:build unix && !linux

package main

import "syscall"

// dieWithParent has no counterpart here: reapStale finds what is left over.
func dieWithParent(*syscall.SysProcAttr) {}
