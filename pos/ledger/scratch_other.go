//go:build !linux

package ledger

import (
	"errors"
	"os"
)

// scratchFile is a file that may lie in memory and has no name.
func scratchFile() (*os.File, error) {
	f, err := os.CreateTemp("", "ledger")
	if err != nil {
		return nil, err
	}
	return f, errors.Join(os.Remove(f.Name()))
}
