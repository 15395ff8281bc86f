package input

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// keySet prints keys as the kernel does for this program: words of a long, the highest
// first, without leading zeros.
func keySet(codes ...int) string {
	words := make([]uint64, 1+slices.Max(codes)/strconv.IntSize)
	for _, c := range codes {
		words[c/strconv.IntSize] |= 1 << (c % strconv.IntSize)
	}
	var out []string
	for _, w := range slices.Backward(words) {
		out = append(out, strconv.FormatUint(w, 16))
	}
	return strings.Join(out, " ") + "\n"
}

func span(from, to int) (out []int) {
	for c := from; c <= to; c++ {
		out = append(out, c)
	}
	return out
}

func TestFind(t *testing.T) {
	sys := fstest.MapFS{"class/input/mice/uevent": {}, "class/input/js0/uevent": {}, "class/input/eventx/uevent": {}}
	add := func(n int, name, vendor, product, keys string) {
		at := fmt.Sprintf("class/input/event%d/device/", n)
		for file, text := range map[string]string{"name": name, "id/vendor": vendor, "id/product": product, "capabilities/key": keys} {
			sys[at+file] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	add(10, "Board\n", "046d\n", "c31c\n", keySet(span(1, 120)...))
	add(2, "Pad\x00\x1b[2J", "062A\n", "4101\n", keySet(append(span(71, 83), 96, 69)...))
	add(3, "Nine digits", "1", "2", keySet(append(span(71, 81), 96)...))
	add(4, strings.Repeat("é", 100), "x", "-1", "zz\n")
	add(5, "No keys", "1", "2", "")
	got, err := Find(sys)
	if err != nil {
		t.Fatal(err)
	}
	want := []Found{
		{"/dev/input/event2", "Pad[2J", ID{0x62a, 0x4101}, true, false},
		{"/dev/input/event3", "Nine digits", ID{1, 2}, false, false},
		{"/dev/input/event4", strings.Repeat("é", maxName), ID{}, false, false},
		{"/dev/input/event5", "No keys", ID{1, 2}, false, false},
		{"/dev/input/event10", "Board", ID{0x46d, 0xc31c}, true, true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got, err := Find(fstest.MapFS{}); got != nil || err != nil {
		t.Errorf("nothing there: %v, %v", got, err)
	}
}

func TestKnowsKey(t *testing.T) {
	for name, want := range map[string]bool{"kp7": true, "kpenter": true, "a": true, "f1": true, "backspace": true, "esc": true, "": false, "KP7": false, "btn_left": false, "left ": false} {
		if got := KnowsKey(name); got != want && keyName(28) != "" {
			t.Errorf("KnowsKey(%q) = %v", name, got)
		}
	}
}
