//go:build arm && !shaping

package shape

// Full: this build sets letters one by one.
const Full = false

type rules struct{}

func (f *Font) shapeByRules([]rune, bool, int) ([]Glyph, bool) { return nil, false }
