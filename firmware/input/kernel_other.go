//go:build !linux

package input

import "errors"

// Kernel returns a System without devices: only Linux has them.
func Kernel() System { return kernel{} }

type kernel struct{}

func (kernel) List() ([]Found, error)      { return nil, nil }
func (kernel) Open(string) (Events, error) { return nil, errors.ErrUnsupported }

func keyName(uint16) string { return "" }
