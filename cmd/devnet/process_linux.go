package main

import "syscall"

// dieWithParent lets the kernel end a child when devnet is killed hard.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGTERM }
