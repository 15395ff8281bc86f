package slip

import "testing"

// TestClosest asks only for what is clearly meant: one name, at most two letters off.
func TestClosest(t *testing.T) {
	tokens := []string{"USDC", "USDT", "EURC", "DAI"}
	models := []string{"tm-t20ii", "tm-t20iii", "tm-t88iv", "58mm", "safe"}
	for _, x := range []struct {
		s    string
		from []string
		want string
	}{
		{"etherium", []string{"ethereum", "base"}, "ethereum"},
		{"Base", []string{"ethereum", "base"}, "base"},
		{"USCD", tokens, "USDC"}, // two letters that changed places are one slip
		{"usdt", tokens, "USDT"},
		{"USD", tokens, ""}, // of two
		{"EURX", tokens, "EURC"},
		{"DOGE", tokens, ""},
		{"DIA", tokens, "DAI"},
		{"DXX", tokens, ""}, // two of three letters are another word
		{"tmt20iii", models, "tm-t20iii"},
		{"tm-t20", models, ""}, // the beginning of two
		{"tm-t88", models, "tm-t88iv"},
		{"laserjet", models, ""},
		{"hdmi", []string{"framebuffer", "mipi", "epaper", "oled", "pole"}, ""},
		{"category", []string{"categories", "copies", "connect"}, "categories"},
		{"file", []string{"daily", "url_file", "key_file"}, ""},
		{"", models, ""},
		{"x", nil, ""},
	} {
		if got := Closest(x.s, x.from); got != x.want {
			t.Errorf("for %q it asks for %q, want %q", x.s, got, x.want)
		}
	}
	for _, x := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}, {"leats", "least", 1}} {
		if got := distance(x.a, x.b); got != x.want || distance(x.b, x.a) != got {
			t.Errorf("from %q to %q are %d steps, want %d", x.a, x.b, got, x.want)
		}
	}
}
