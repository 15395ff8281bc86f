package gpio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillwright/tillwright/pos"
)

// chip is a PWM chip made of code, as strict as the oldest kernel that is in use is
// (drivers/pwm/sysfs.c and pwm_apply_state): it refuses every write while a channel has no
// period, a duty beyond the period, a second export, and channels that it has not.
type chip struct {
	name, device string
	npwm         int
	channels     map[int]*channel
	udev         time.Duration // how long after its export a channel's files are root's
	denied       bool          // even export is root's
	taken        bool          // by a driver of the kernel's
}

type channel struct {
	period, duty int64
	enabled      bool
	granted      time.Time
	heard        []string // "2700", "-"
}

// tree is /sys/class/pwm with chips.
type tree []*chip

func (tr tree) Chips() (names []string, err error) {
	if len(tr) == 0 {
		return nil, fs.ErrNotExist
	}
	for _, c := range tr {
		names = append(names, c.name)
	}
	return names, nil
}

func (tr tree) Device(name string) string {
	for _, c := range tr {
		if c.name == name {
			return c.device
		}
	}
	return ""
}

// find returns the chip, the channel if it is one's, and the file that a name means.
func (tr tree) find(name string) (*chip, *channel, string, error) {
	part := strings.Split(name, "/")
	i := slices.IndexFunc(tr, func(c *chip) bool { return c.name == part[0] })
	if i < 0 || len(part) < 2 {
		return nil, nil, "", fs.ErrNotExist
	}
	if len(part) == 2 {
		return tr[i], nil, part[1], nil
	}
	n, err := strconv.Atoi(strings.TrimPrefix(part[1], "pwm"))
	ch := tr[i].channels[n]
	if err != nil || ch == nil || !slices.Contains([]string{"period", "duty_cycle", "enable", "polarity"}, part[2]) {
		return nil, nil, "", fs.ErrNotExist
	}
	return tr[i], ch, part[2], nil
}

func (tr tree) Read(name string) (string, error) {
	_, ch, file, err := tr.find(name)
	if err != nil || ch == nil {
		return "", errors.Join(err, syscall.EACCES)
	}
	return map[string]string{"period": fmt.Sprintln(ch.period), "duty_cycle": fmt.Sprintln(ch.duty)}[file], nil
}

func (tr tree) May(name string) error {
	c, ch, _, err := tr.find(name)
	if err != nil {
		return err
	}
	if c.denied || ch != nil && time.Now().Before(ch.granted) {
		return syscall.EACCES
	}
	return nil
}

func (tr tree) Write(name, text string) error {
	if err := tr.May(name); err != nil {
		return err
	}
	c, ch, file, _ := tr.find(name)
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 0 {
		return syscall.EINVAL
	}
	if ch == nil {
		return c.export(file, int(v))
	}
	next := *ch
	switch file {
	case "period":
		next.period = v
	case "duty_cycle":
		next.duty = v
	case "enable":
		if next.enabled = v == 1; v > 1 {
			return syscall.EINVAL
		}
	}
	if next.period == 0 || next.duty > next.period {
		return syscall.EINVAL
	}
	*ch = next
	ch.hear()
	return nil
}

func (c *chip) export(file string, n int) error {
	switch {
	case file != "export":
		return syscall.EINVAL
	case n >= c.npwm:
		return syscall.ENODEV
	case c.taken || c.channels[n] != nil:
		return syscall.EBUSY
	}
	c.channels[n] = &channel{granted: time.Now().Add(c.udev)}
	return nil
}

// hear notes a tone, if it is one: a wave that is half high.
func (ch *channel) hear() {
	now := "-"
	switch {
	case ch.enabled && ch.duty != 0 && ch.duty == ch.period/2:
		now = strconv.FormatInt(int64(time.Second)/ch.period, 10)
	case ch.enabled && ch.duty != 0:
		now = "noise"
	}
	if n := len(ch.heard); n == 0 || ch.heard[n-1] != now {
		ch.heard = append(ch.heard, now)
	}
}

func (ch *channel) take() string {
	s := strings.Join(ch.heard, " ")
	ch.heard = nil
	return s
}

func bcm(device string) *chip {
	return &chip{name: "pwmchip0", device: device, npwm: 2, channels: map[int]*channel{}}
}

// TestPWM plays each sound on the boards that there are. Goal: it is heard on the right
// channel, whatever number the chip has, and never as anything but a tone.
func TestPWM(t *testing.T) {
	fan := func(name string) *chip {
		return &chip{name: name, device: "1f0009c000.pwm", npwm: 4, channels: map[int]*channel{}}
	}
	pi5 := func(name string) *chip {
		return &chip{name: name, device: "1f00098000.pwm", npwm: 4, channels: map[int]*channel{}, udev: 90 * time.Millisecond}
	}
	for _, x := range []struct {
		name, line, channel string
		chips               tree
		chip, n             int
	}{
		{"Zero", "GPIO18", "", tree{bcm("20" + "20c000.pwm")}, 0, 0},
		{"Pi 3", "GPIO12", "", tree{bcm("3f20c000.pwm")}, 0, 0},
		{"Pi 3, second channel", "GPIO19", "", tree{bcm("3f20c000.pwm")}, 0, 1},
		{"Pi 4, beside the sound's", "GPIO13", "", tree{{name: "pwmchip0", device: "fe20c800.pwm"}, {name: "pwmchip1", device: "fe20c000.pwm", npwm: 2, channels: map[int]*channel{}}}, 1, 1},
		{"Pi 5", "GPIO18", "", tree{fan("pwmchip0"), pi5("pwmchip2")}, 1, 2},
		{"Pi 5, another kernel", "GPIO12", "", tree{pi5("pwmchip0"), fan("pwmchip1")}, 0, 0},
		{"named", "", "pwmchip1/3", tree{pi5("pwmchip0"), fan("pwmchip1")}, 1, 3},
		{"named by its device", "", "1f00098000.pwm/2", tree{fan("pwmchip0"), pi5("pwmchip1")}, 1, 2},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := NewPWM(x.line, x.channel)
				p.files = x.chips
				if err := p.Try(); err != nil || len(x.chips[x.chip].channels) != 0 {
					t.Errorf("Try: %v, exported %v", err, x.chips[x.chip].channels)
				}
				b := NewBuzzer(p, quiet)
				run(t, b.Run)
				time.Sleep(time.Second)
				ch := x.chips[x.chip].channels[x.n]
				if ch == nil {
					t.Fatalf("channel %d is not exported", x.n)
				}
				for _, s := range []struct {
					s    Sound
					want string
				}{{PaidSound, "- 2100 - 2700 - 3300 -"}, {BadSound, "- 900 - 900 -"}, {GoodSound, "- 2700 -"}} {
					b.Play(s.s)
					time.Sleep(time.Second)
					synctest.Wait()
					got := "- " + strings.TrimPrefix(ch.take(), "- ")
					if got != s.want {
						t.Errorf("sound %d: heard %q, want %q", s.s, got, s.want)
					}
				}
				if err := p.Try(); err != nil || ch.enabled {
					t.Errorf("Try: %v; it sounds: %v", err, ch.enabled)
				}
			})
		})
	}
}

// TestPWMLeftSounding starts after a till that was killed in mid-sound.
func TestPWMLeftSounding(t *testing.T) {
	c := bcm("3f20c000.pwm")
	c.channels[0] = &channel{period: 1_000_000, duty: 500_000, enabled: true}
	p := NewPWM("GPIO18", "")
	p.files = tree{c}
	if err := p.Sound(0); err != nil || c.channels[0].enabled {
		t.Errorf("it sounds: %v, %v", c.channels[0].enabled, err)
	}
	if err := p.Sound(3300); err != nil || !strings.HasSuffix(c.channels[0].take(), "3300") {
		t.Errorf("it does not sound: %v", err)
	}
}

// TestPWMFails names what is wrong, and works again when it is not.
func TestPWMFails(t *testing.T) {
	c := bcm("3f20c000.pwm")
	for _, x := range []struct {
		name, line, channel string
		chips               tree
		spoil               func(bad bool)
		want                string
	}{
		{"no chip", "GPIO12", "", nil, nil, "dtoverlay=pwm,pin=12,func=4"},
		{"another chip", "GPIO18", "", tree{{name: "pwmchip0", device: "backlight"}}, nil, "(dtoverlay=pwm)"},
		{"a name that is none", "", "pwmchip7/0", tree{c}, nil, "no pwmchip7 in /sys/class/pwm: it has pwmchip0"},
		{"a channel that is none", "", "pwmchip0/2", tree{c}, nil, "nothing else uses it"},
		{"not ours", "GPIO18", "", tree{c}, func(bad bool) { c.denied = bad }, "the group gpio"},
		{"used by the kernel", "GPIO18", "", tree{c}, func(bad bool) { c.taken = bad }, "nothing else uses it"},
		{"never granted", "GPIO18", "", tree{c}, func(bad bool) {
			if c.udev = 0; bad {
				c.udev = time.Minute
			} else {
				time.Sleep(time.Minute)
			}
		}, "the group gpio"},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clear(c.channels)
				if x.spoil != nil {
					x.spoil(true)
				}
				p := NewPWM(x.line, x.channel)
				p.files = x.chips
				began := time.Now()
				err := p.Sound(2700)
				if e, ok := errors.AsType[*pos.Error](err); !ok || e.Kind != pos.Unavailable || !strings.Contains(e.Msg, x.want) || time.Since(began) > grantedWithin+grantedEvery {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				if x.spoil == nil {
					return
				}
				x.spoil(false)
				if err := p.Sound(2700); err != nil {
					t.Errorf("mended: %v", err)
				}
			})
		})
	}
}

// TestSysfs reads and writes a folder like the kernel's: no file is made, and none is
// written by a try.
func TestSysfs(t *testing.T) {
	dir := t.TempDir()
	soc := filepath.Join(dir, "devices", "3f20c000.pwm")
	class := filepath.Join(dir, "class")
	for _, d := range []string{soc, filepath.Join(class, "pwmchip0", "pwm1")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../../devices/3f20c000.pwm", filepath.Join(class, "pwmchip0", "device")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"period", "enable", "duty_cycle"} {
		if err := os.WriteFile(filepath.Join(class, "pwmchip0", "pwm1", name), []byte("0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := sysfs(class)
	if chips, err := s.Chips(); err != nil || !slices.Equal(chips, []string{"pwmchip0"}) || s.Device("pwmchip0") != "3f20c000.pwm" || s.Device("x") != "" {
		t.Errorf("%q, %v; %q", chips, err, s.Device("pwmchip0"))
	}
	if err := s.Write("pwmchip0/export", "1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	p := NewPWM("GPIO19", "")
	p.files = s
	if err := errors.Join(p.Try(), p.Sound(0), p.Sound(1000)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"period": "1000000", "duty_cycle": "500000", "enable": "1\n"} {
		if got, err := s.Read(path.Join("pwmchip0/pwm1", name)); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
}
