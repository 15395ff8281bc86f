//go:build !linux

package fb

import (
	"errors"
	"os"
)

// kernel stands for one that has no framebuffers.
type kernel struct{}

const noCTTY = 0

func (kernel) Open(string, int) (*os.File, error)   { return nil, errors.ErrUnsupported }
func (kernel) Read(*os.File, uintptr, []byte) error { return errors.ErrUnsupported }
func (kernel) Set(*os.File, uintptr, uintptr) error { return errors.ErrUnsupported }
func (kernel) Map(*os.File, int) ([]byte, error)    { return nil, errors.ErrUnsupported }
func (kernel) Unmap([]byte) error                   { return errors.ErrUnsupported }
