package coin

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

var token6 = pos.Asset{ID: "t", Symbol: "USDC", Decimals: 6, Shown: 4}

// TestUnaskedFlood floods with dust and with findings. Goal: nothing of a whole token is
// lost without a word, all dust is summed, and what was booked is gone while what came
// meanwhile stays.
func TestUnaskedFlood(t *testing.T) {
	u := &Unasked{Log: slog.New(slog.DiscardHandler)}
	for n := range 10 * pos.MaxDust {
		if !u.Tell(pos.Unasked{Key: fmt.Sprint("dust", n), Came: token6.UnitsOf(1)}) {
			t.Fatal("dust has no room")
		}
	}
	for n := range maxUnasked {
		if !u.Tell(pos.Unasked{Key: fmt.Sprint(n), Came: token6.UnitsOf(1e6)}) || !u.Tell(pos.Unasked{Key: fmt.Sprint(n), Came: token6.UnitsOf(1e6)}) {
			t.Fatal("no room")
		}
	}
	if u.Tell(pos.Unasked{Key: "more", Came: token6.UnitsOf(1e6)}) {
		t.Error("it holds more than it says")
	}
	u.Tell(pos.Unasked{Key: "nothing", Came: token6.UnitsOf(0)})
	came, beyond := u.Unasked()
	if len(came) != maxUnasked+pos.MaxDust || len(beyond) != 1 || beyond[0].Count != 9*pos.MaxDust || beyond[0].Sum.Cmp(token6.UnitsOf(9*pos.MaxDust)) != 0 {
		t.Fatalf("%d findings, beyond %+v", len(came), beyond)
	}
	u.Tell(pos.Unasked{Key: "dust meanwhile", Came: token6.UnitsOf(5)})
	if !u.Holds("0") || !u.Holds("dust0") || u.Holds("more") || u.Holds(fmt.Sprint("dust", 9*pos.MaxDust)) {
		t.Error("what is held is not what it says")
	}
	u.Booked(came[1:], beyond)
	if u.Holds("1") {
		t.Error("booked, and held")
	}
	after, rest := u.Unasked()
	if len(after) != 1 || after[0].Key != "0" || len(rest) != 1 || rest[0].Count != 1 || rest[0].Sum.Cmp(token6.UnitsOf(5)) != 0 {
		t.Errorf("left are %+v, %+v", after, rest)
	}
	if u.Booked(after, rest); !u.Tell(pos.Unasked{Key: "more", Came: token6.UnitsOf(1e6)}) {
		t.Error("no room when all is booked")
	}
}

// TestAlarmsStay floods the notices. Goal: an alarm is told until somebody takes it back.
func TestAlarmsStay(t *testing.T) {
	n := &Notices{Log: slog.New(slog.DiscardHandler)}
	n.Alarm("lost 1", "taken back")
	for i := range 5 * maxNotices {
		n.Tell(fmt.Sprint("dust ", i), fmt.Sprint("some ", i))
	}
	n.Alarm("used", "cloned card")
	for i := range 5 * maxNotices {
		n.Tell(fmt.Sprint("more ", i), fmt.Sprint("some ", i))
	}
	told := n.Told()
	if len(told) != maxNotices || !slices.Contains(told, "taken back") || !slices.Contains(told, "cloned card") || told[len(told)-1] != fmt.Sprint("some ", 5*maxNotices-1) {
		t.Errorf("told %q", told)
	}
	n.Untell("used")
	if slices.Contains(n.Told(), "cloned card") {
		t.Error("it cannot be taken back")
	}
	n.Tell("lost 1", "taken back") // the same word as a notice: still an alarm
	for i := range 5 * maxNotices {
		n.Tell(fmt.Sprint("yet more ", i), "x"+fmt.Sprint(i))
	}
	if !slices.Contains(n.Told(), "taken back") {
		t.Error("an alarm became a notice")
	}
	for i := range 5 * maxNotices { // only alarms push alarms
		n.Alarm(fmt.Sprint("alarm ", i), fmt.Sprint("alarm ", i))
	}
	told = n.Told()
	if len(told) > maxAlarms+maxNotices {
		t.Errorf("%d notices", len(told))
	}
	for i := range maxAlarms { // and not before there is no room for them
		if !slices.Contains(told, fmt.Sprint("alarm ", 5*maxNotices-1-i)) {
			t.Errorf("alarm %d from the end is not told", i)
		}
	}
}
