package printer

// Status is what a printer says of itself. The zero Status is a printer that did
// not answer: unknown, which is neither good nor a reason not to print, for many
// cheap printers never answer.
type Status struct {
	Known    bool // it answered
	Offline  bool // it takes no print data now
	Cover    bool // open
	PaperOut bool
	PaperLow bool // prints, but somebody should fetch a roll
	Fault    bool // a fault that a person must clear: knife, head, power
	Stalled  bool // it takes no more bytes, and does not say why
}

// Trouble returns the key of the word that tells a cashier why nothing prints,
// the empty string when nothing is known to be wrong.
func (s Status) Trouble() string {
	switch {
	case s.Cover:
		return "printer_cover"
	case s.PaperOut:
		return "printer_paper"
	case s.Fault:
		return "printer_fault"
	case s.Stalled:
		return "printer_stalled"
	case s.Offline:
		return "printer_offline"
	}
	return ""
}
