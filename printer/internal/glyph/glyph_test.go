package glyph

import (
	"sync"
	"testing"
)

// TestLetters: every letter has ink inside its cell and none of it is cut at the
// sides, and no two letters that a customer must tell apart look alike.
func TestLetters(t *testing.T) {
	seen := map[Cell]rune{}
	for _, r := range "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyzÄÖÜäöüßéèñ¿¡€£¥ŁółΕλάКофе#$@[\\]^{|}~" {
		if !Has(r) {
			t.Errorf("no letter for %q", r)
		}
		c, dark := Of(r), 0
		for _, ink := range c {
			if ink > 110 {
				dark++
			}
		}
		if dark < 6 {
			t.Errorf("%q has %d dots", r, dark)
		}
		if other, ok := seen[*c]; ok && !twins[string([]rune{other, r})] {
			t.Errorf("%q looks like %q", r, other)
		}
		seen[*c] = r
	}
}

// twins look alike in every face.
var twins = map[string]bool{"EΕ": true, "KК": true, "oо": true, "eе": true}

func TestMissing(t *testing.T) {
	for _, r := range "抹🍰\x00\U0010FFFF" {
		if Has(r) {
			t.Errorf("%q is in the face", r)
		}
		if *Of(r) != *Of('茶') {
			t.Errorf("%q is no box", r)
		}
	}
	if Of(' ').At(6, 12) != 0 || !Has(' ') {
		t.Error("a space has ink")
	}
}

// TestConcurrent is for the race detector.
func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for r := rune(0x400); r < 0x460; r++ {
				Of(r)
				Has(r)
			}
		})
	}
	wg.Wait()
}

func TestCacheIsBounded(t *testing.T) {
	for r := rune(0x4e00); r < 0x4e00+2*cacheMax; r++ {
		Of(r)
	}
	if n := len(cache); n > cacheMax {
		t.Errorf("%d cells are kept", n)
	}
}
