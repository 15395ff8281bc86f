package printer

// Health is what the shop needs to know of a printer, in three values. The zero
// Health is the careful one.
type Health string

// Healths.
const (
	Unknown Health = ""      // it did not answer: neither good nor a reason not to print
	OK      Health = "ok"    // it answered, and can print
	Faulty  Health = "fault" // it cannot print; Status.Trouble has the fault's name
)

// Status is what a printer says of itself. The zero Status is a printer that did
// not answer: unknown, which is neither good nor a reason not to print, for many
// cheap printers never answer.
type Status struct {
	Known    bool // it answered
	Offline  bool // it takes no print data now
	Cover    bool // open
	PaperOut bool
	PaperLow bool  // prints, but somebody should fetch a roll
	Cutter   bool  // the knife is stuck
	Hot      bool  // the head is too hot; it goes on by itself when it has cooled
	Fault    bool  // another fault that a person must clear: power, head, motor
	Stalled  bool  // it takes no more bytes, and does not say why
	Drawer   Level // at the drawer's sensor; which one means open differs between drawers
}

// Level is what the sensor of a cash drawer gives (pin 3 of its socket). The zero Level
// is not known, and says nothing about the drawer.
type Level string

// Levels.
const (
	High Level = "high"
	Low  Level = "low"
)

// LevelOf returns High for a set bit of an answer, else Low.
func LevelOf(bit bool) Level {
	if bit {
		return High
	}
	return Low
}

// Health returns the status in one word of three.
func (s Status) Health() Health {
	switch {
	case s.Trouble() != "":
		return Faulty
	case s.Known:
		return OK
	}
	return Unknown
}

// Trouble returns the key of the word that tells a cashier why nothing prints,
// the empty string when nothing is known to be wrong. What a person can see and
// mend comes first.
func (s Status) Trouble() string {
	switch {
	case s.Cover:
		return "printer_cover"
	case s.PaperOut:
		return "printer_paper"
	case s.Cutter:
		return "printer_cutter"
	case s.Fault:
		return "printer_fault"
	case s.Hot:
		return "printer_hot"
	case s.Stalled:
		return "printer_stalled"
	case s.Offline:
		return "printer_offline"
	}
	return ""
}
