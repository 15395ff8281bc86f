package gpio

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

const (
	// sysPWM is where the kernel keeps the chips that make tones.
	sysPWM = "/sys/class/pwm"
	// grantedWithin bounds the wait for udev, which gives a channel's files to the group
	// gpio some milliseconds after the channel appeared; grantedEvery is how often it is
	// looked for.
	grantedWithin = time.Second
	grantedEvery  = 20 * time.Millisecond
)

// piChips are the chips of Raspberry Pis by their addresses, which unlike pwmchipN are
// the same at each start, and the channel of each line. BCM2835 ARM Peripherals, 9.5
// (20, 3f and fe 20c000: Pi 1 to 4, Zero, Zero 2 W); RP1 Peripherals, 3.1.1 (Pi 5).
var piChips = []struct {
	device   string // the end of its name
	channels map[string]int
}{
	{"20c000.pwm", map[string]int{"GPIO12": 0, "GPIO13": 1, "GPIO18": 0, "GPIO19": 1}},
	{"1f00098000.pwm", map[string]int{"GPIO12": 0, "GPIO13": 1, "GPIO18": 2, "GPIO19": 3}},
}

// MakesTones reports that a line is one on which Raspberry Pis make tones.
func MakesTones(line string) bool {
	_, ok := piChips[0].channels[line]
	return ok
}

// PWM is a Voice of the kernel's: a channel of /sys/class/pwm, switched on in a Raspberry
// Pi's config.txt with dtoverlay=pwm. It must not be opened as a line: that takes the
// wire away from the channel. One that the till leaves stays silent and exported, and
// one that a killed till left sounding is silenced by the first Sound.
//
// The order of writes is what drivers/pwm/sysfs.c and core.c take: export once; a period
// that is not 0 before anything else; never a duty beyond the period.
type PWM struct {
	files         pwmFiles
	line, channel string
	dir           string // of the channel; empty: not open
	period        bool   // it has one
}

// NewPWM returns the voice of a line of a Raspberry Pi ("GPIO18"), or of the channel of
// another board: "pwmchip0/1", or by the chip's own name, "1f00098000.pwm/2". Nothing is
// opened before the first Sound.
func NewPWM(line, channel string) *PWM {
	return &PWM{files: sysfs(sysPWM), line: line, channel: channel}
}

// pwmFiles are the files below /sys/class/pwm.
type pwmFiles interface {
	// Chips returns the names of the chips.
	Chips() ([]string, error)
	// Device returns the name of what a chip is a part of, empty when it has none.
	Device(chip string) string
	// Read returns a file's text.
	Read(name string) (string, error)
	// Write makes one write to a file that is there.
	Write(name, text string) error
	// May says whether a file can be written, and writes nothing.
	May(name string) error
}

// String names the line or the channel.
func (p *PWM) String() string {
	if p.line == "" {
		return p.channel
	}
	return p.line
}

// Try says whether tones could be made, and makes none. It fails with Unavailable.
func (p *PWM) Try() error {
	chip, n, err := p.find()
	if err != nil {
		return err
	}
	name := path.Join(chip, "pwm"+n, "enable")
	if err = p.files.May(name); errors.Is(err, fs.ErrNotExist) {
		err = p.files.May(path.Join(chip, "export"))
	}
	return p.failed(err)
}

// Sound begins a tone of so many hertz, 0 is silence. The first one opens the channel,
// which takes some milliseconds, and at most grantedWithin. It fails with Unavailable;
// the next one opens the channel again.
func (p *PWM) Sound(hertz int64) error {
	err := p.open()
	if err == nil {
		err = p.set(hertz)
	}
	if err != nil {
		p.dir = ""
	}
	return p.failed(err)
}

func (p *PWM) failed(err error) error {
	if _, told := errors.AsType[*pos.Error](err); err == nil || told {
		return err
	}
	return pos.Wrap("sound buzzer", pos.Unavailable, err, "no tone can be made on %s: give the till's user the group gpio, and see that nothing else uses it", p)
}

func (p *PWM) set(hertz int64) error {
	if hertz == 0 {
		if !p.period {
			return nil // it never sounded, and an older kernel refuses even to switch it off
		}
		return p.write("enable", "0")
	}
	period := int64(time.Second) / hertz
	if p.period {
		if err := p.write("duty_cycle", "0"); err != nil {
			return err
		}
	}
	if err := p.write("period", strconv.FormatInt(period, 10)); err != nil {
		return err
	}
	p.period = true
	return errors.Join(p.write("duty_cycle", strconv.FormatInt(period/2, 10)), p.write("enable", "1"))
}

func (p *PWM) write(name, text string) error { return p.files.Write(path.Join(p.dir, name), text) }

// open exports the channel unless it is, and silences it.
func (p *PWM) open() error {
	if p.dir != "" {
		return nil
	}
	chip, n, err := p.find()
	if err != nil {
		return err
	}
	dir := path.Join(chip, "pwm"+n)
	if _, err := p.files.Read(path.Join(dir, "period")); errors.Is(err, fs.ErrNotExist) {
		if err := p.files.Write(path.Join(chip, "export"), n); err != nil {
			return err
		}
	}
	err = p.files.May(path.Join(dir, "enable"))
	for end := time.Now().Add(grantedWithin); errors.Is(err, fs.ErrPermission) && time.Now().Before(end); {
		time.Sleep(grantedEvery)
		err = p.files.May(path.Join(dir, "enable"))
	}
	if err != nil {
		return err
	}
	was, err := p.files.Read(path.Join(dir, "period"))
	if err != nil {
		return err
	}
	p.dir, p.period = dir, strings.TrimSpace(was) != "0"
	return p.set(0)
}

// find returns the chip and the number of the channel.
func (p *PWM) find() (chip, n string, err error) {
	chips, err := p.files.Chips()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	want, n, named := strings.Cut(p.channel, "/")
	for _, chip := range chips {
		device := p.files.Device(chip)
		if named && (chip == want || device == want) {
			return chip, n, nil
		}
		for _, c := range piChips {
			if at, ok := c.channels[p.line]; ok && !named && strings.HasSuffix(device, c.device) {
				return chip, strconv.Itoa(at), nil
			}
		}
	}
	if named {
		return "", "", pos.E("sound buzzer", pos.Unavailable, "this board has no %s in %s: it has %s", want, sysPWM, strings.Join(append(chips, "no other"), ", "))
	}
	return "", "", pos.E("sound buzzer", pos.Unavailable, "no tone can be made on %s: switch it on in config.txt (dtoverlay=%s) and start the board anew, or take a buzzer that makes its own tone (kind = \"active\")", p.line, overlays[p.line])
}

// overlays are the lines of config.txt that switch tones on (raspberrypi/linux,
// overlays/README: pwm).
var overlays = map[string]string{"GPIO12": "pwm,pin=12,func=4", "GPIO13": "pwm,pin=13,func=4", "GPIO18": "pwm", "GPIO19": "pwm,pin=19,func=2"}

// sysfs is a folder like /sys/class/pwm.
type sysfs string

func (s sysfs) at(name string) string { return filepath.Join(string(s), filepath.FromSlash(name)) }

func (s sysfs) Chips() (names []string, err error) {
	list, err := os.ReadDir(string(s))
	for _, e := range list {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, err
}

func (s sysfs) Device(chip string) string {
	to, err := os.Readlink(s.at(chip + "/device"))
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

func (s sysfs) Read(name string) (string, error) {
	b, err := os.ReadFile(s.at(name))
	return string(b), err
}

func (s sysfs) Write(name, text string) error {
	f, err := os.OpenFile(s.at(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

func (s sysfs) May(name string) error {
	f, err := os.OpenFile(s.at(name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
