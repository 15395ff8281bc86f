package main

import (
	"image"
	"io"

	"periph.io/x/conn/v3"
	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"
	"periph.io/x/conn/v3/spi"

	"github.com/tillwright/tillwright/display"
)

// nowhere is a board whose wires end in the air: on it a panel tells what it is, and
// nothing is touched. size is that of its framebuffers.
func nowhere(size image.Point) board {
	return board{
		spi:  func(string) (spi.PortCloser, error) { return loose{}, nil },
		i2c:  func(string) (i2c.BusCloser, error) { return loose{}, nil },
		line: func(string) (gpio.PinIO, error) { return looseLine{gpio.INVALID}, nil },
		frame: func(_, _ string, degrees int) (display.Panel, error) {
			if degrees%180 != 0 {
				return blank{size.Y, size.X}, nil
			}
			return blank(size), nil
		},
		port: func(string) (io.WriteCloser, error) { return loose{}, nil },
	}
}

// glassOf tells what a configured panel is, without touching it.
func glassOf(p panelConfig) (display.Glass, error) { return glassSized(p, browserSize) }

func glassSized(p panelConfig, size image.Point) (display.Glass, error) {
	panel, _, err := nowhere(size).open(p)
	if err != nil {
		return display.Glass{}, err
	}
	return display.GlassOf(panel), nil
}

// loose is a bus on which nobody listens.
type loose struct{}

func (loose) String() string                                              { return "nowhere" }
func (loose) Close() error                                                { return nil }
func (loose) LimitSpeed(physic.Frequency) error                           { return nil }
func (loose) SetSpeed(physic.Frequency) error                             { return nil }
func (l loose) Connect(physic.Frequency, spi.Mode, int) (spi.Conn, error) { return looseConn{}, nil }
func (loose) Tx(uint16, []byte, []byte) error                             { return nil }
func (loose) Write(p []byte) (int, error)                                 { return len(p), nil }

type looseConn struct{}

func (looseConn) String() string               { return "nowhere" }
func (looseConn) Tx(_, _ []byte) error         { return nil }
func (looseConn) Duplex() conn.Duplex          { return conn.Half }
func (looseConn) TxPackets([]spi.Packet) error { return nil }

// looseLine can be set and read, and moves nothing.
type looseLine struct{ gpio.PinIO }

func (looseLine) In(gpio.Pull, gpio.Edge) error { return nil }
func (looseLine) Out(gpio.Level) error          { return nil }

// blank is a framebuffer that holds nothing.
type blank image.Point

func (b blank) Bounds() image.Rectangle                            { return image.Rectangle{Max: image.Point(b)} }
func (blank) Draw(image.Rectangle, image.Image, image.Point) error { return nil }
func (blank) Halt() error                                          { return nil }
