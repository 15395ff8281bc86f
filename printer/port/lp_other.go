//go:build !linux

package port

import "os"

func prepare(*os.File) {}

func stalled(_ *os.File, err error) error { return err }
