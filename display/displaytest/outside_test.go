package displaytest

import (
	"image"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/spi"
)

// The drivers of this file were written by others, for real panels. What they do
// must be let pass, and must show the picture.

// tiny is a Board as tinygo's drivers want one.
type tiny struct {
	t    testing.TB
	conn spi.Conn
}

func (b tiny) Tx(w, r []byte) error {
	if err := b.conn.Tx(w, r); err != nil {
		b.t.Error(err)
	}
	return nil
}

func (b tiny) Transfer(v byte) (byte, error) { return 0, b.Tx([]byte{v}, nil) }

// tinyPin is one of a Board's lines.
type tinyPin struct{ gpio.PinIO }

func (p tinyPin) Set(level bool) { _ = p.Out(gpio.Level(level)) }
func (p tinyPin) Get() bool      { return p.Read() == gpio.High }

func connect(t testing.TB, b *Board) tiny {
	c, err := b.Port().Connect(0, spi.Mode0, 8)
	if err != nil {
		t.Fatal(err)
	}
	return tiny{t, c}
}

func noFaults(t testing.TB, faults ...error) {
	t.Helper()
	for _, err := range faults {
		t.Error(err)
	}
}

// TestDCSFindsFaults does what the data sheets forbid, one thing at a time. Each
// must be noticed.
func TestDCSFindsFaults(t *testing.T) {
	wake := func(d *DCS) {
		d.Reset(gpio.Low)
		time.Sleep(time.Millisecond)
		d.Reset(gpio.High)
		time.Sleep(resetAwake)
		d.Receive(false, []byte{dcsSLPOUT})
		time.Sleep(sleepStable)
		cmd(d, dcsCOLMOD, 0x55)
	}
	for name, do := range map[string]func(d *DCS){
		"nothing wrong":          func(d *DCS) { wake(d); window(d, 0, 9); cmd(d, dcsRAMWR, make([]byte, 200)...) },
		"never reset":            func(d *DCS) { cmd(d, dcsSLPOUT) },
		"a pulse of 5 µs":        func(d *DCS) { d.Reset(gpio.Low); time.Sleep(5 * time.Microsecond); d.Reset(gpio.High) },
		"a command during reset": func(d *DCS) { d.Reset(gpio.Low); cmd(d, dcsNOP) },
		"a command too soon":     func(d *DCS) { pulse(d); time.Sleep(4 * time.Millisecond); cmd(d, dcsNOP) },
		"awake too soon":         func(d *DCS) { pulse(d); time.Sleep(119 * time.Millisecond); cmd(d, dcsSLPOUT) },
		"a command 4 ms after it woke": func(d *DCS) {
			pulse(d)
			time.Sleep(resetAwake)
			cmd(d, dcsSLPOUT)
			time.Sleep(4 * time.Millisecond)
			cmd(d, dcsNOP)
		},
		"pixels while asleep": func(d *DCS) { pulse(d); time.Sleep(resetAwake); cmd(d, dcsRAMWR, 0, 0, 0) },
		"pixels 119 ms after it woke": func(d *DCS) {
			pulse(d)
			time.Sleep(resetAwake)
			cmd(d, dcsSLPOUT)
			time.Sleep(119 * time.Millisecond)
			cmd(d, dcsRAMWR)
		},
		"asleep too soon": func(d *DCS) {
			pulse(d)
			time.Sleep(resetAwake)
			cmd(d, dcsSLPOUT)
			time.Sleep(50 * time.Millisecond)
			cmd(d, dcsSLPIN)
		},
		"data first": func(d *DCS) { pulse(d); d.Receive(true, []byte{1}) },
		"data of a window with D/C low": func(d *DCS) {
			wake(d)
			d.Receive(false, []byte{dcsCASET, 0, 0, 0, 9})
		},
		"an unknown command": func(d *DCS) { wake(d); cmd(d, 0xD9) },
		"a window too wide":  func(d *DCS) { wake(d); cmd(d, dcsCASET, 0, 0, 0, 240) },
		"a window too high":  func(d *DCS) { wake(d); cmd(d, dcsPASET, 0, 0, 1, 64) },
		"a window of the other side": func(d *DCS) {
			wake(d)
			cmd(d, dcsMADCTL, 0x20)
			cmd(d, dcsPASET, 0, 0, 1, 0x3f)
		},
		"a window from right to left": func(d *DCS) { wake(d); cmd(d, dcsCASET, 0, 9, 0, 8) },
		"half a window":               func(d *DCS) { wake(d); cmd(d, dcsCASET, 0, 9); cmd(d, dcsNOP) },
		"a window and a half":         func(d *DCS) { wake(d); cmd(d, dcsCASET, 0, 0, 0, 9, 1) },
		"half a pixel":                func(d *DCS) { wake(d); cmd(d, dcsRAMWR, 1, 2, 3); cmd(d, dcsNOP) },
		"a pixel too many":            func(d *DCS) { wake(d); window(d, 0, 1); cmd(d, dcsRAMWR, make([]byte, 10)...); cmd(d, dcsNOP) },
		"an unknown format":           func(d *DCS) { wake(d); cmd(d, dcsCOLMOD, 0x03) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := NewDCS("ILI9341", Glass{Size: image.Pt(240, 320)})
				do(d)
				if got := len(d.Faults()) > 0; got == (name == "nothing wrong") {
					t.Errorf("faults: %v", d.Faults())
				}
			})
		})
	}
}

// pulse resets a chip.
func pulse(c Chip) {
	c.Reset(gpio.Low)
	time.Sleep(time.Millisecond)
	c.Reset(gpio.High)
}

// cmd sends a command and its data.
func cmd(c Chip, op byte, data ...byte) {
	c.Receive(false, []byte{op})
	if len(data) > 0 {
		c.Receive(true, data)
	}
}

// window is a square.
func window(d *DCS, first, last byte) {
	cmd(d, dcsCASET, 0, first, 0, last)
	cmd(d, dcsPASET, 0, first, 0, last)
}

// TestBoard holds what the wires promise.
func TestBoard(t *testing.T) {
	b := &Board{Chip: NewDCS("ILI9341", Glass{}), MaxTx: 4}
	c, err := b.Port().Connect(0, spi.Mode0, 8)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Port().Connect(0, spi.Mode0, 8); err == nil {
		t.Error("a port was connected twice")
	}
	if err := c.Tx(make([]byte, 5), nil); err == nil || len(b.Faults()) != 1 {
		t.Errorf("a transfer that is too long: %v", err)
	}
	if err := c.Tx([]byte{1}, make([]byte, 1)); err == nil || len(b.Faults()) != 2 {
		t.Errorf("a transfer that reads: %v", err)
	}
	_ = b.CS().Out(gpio.High)
	if _ = c.Tx([]byte{1}, nil); len(b.Faults()) != 3 {
		t.Errorf("a transfer without chip select: %v", b.Faults())
	}
	b.Fail = func(n int) error { return ErrBus }
	if err := b.DC().Out(gpio.High); err != ErrBus || b.DC().Read() != gpio.Low {
		t.Errorf("a broken line: %v, it is %v", err, b.DC().Read())
	}
	if err := b.Busy().Out(gpio.High); err == nil {
		t.Error("BUSY was driven against the panel")
	}
	if got := (Count{Bytes: 153600}).Time(10_000_000 * 1_000_000); got != 122880*time.Microsecond {
		t.Errorf("a picture takes %v at 10 MHz", got)
	}
}
