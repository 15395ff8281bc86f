package printer

import "io"

// Run is what the one who queues papers and the one who encodes them agree on for
// a single paper.
type Run struct {
	// Silent says that the printer did not answer when it was last asked: the paper
	// goes out at once, and the printer is asked again only when it is out.
	Silent bool
	// Begin is called once, when the printer seems able to print and before the
	// first byte of the paper goes out. Its error ends the run; nothing is printed.
	Begin func() error
	// Between, if set, is called where bytes of another kind may go out, at least
	// once a strip of an image and once every few lines: the drawer does not wait
	// for a long paper. Its error ends the run.
	Between func(io.ReadWriter) error
}
