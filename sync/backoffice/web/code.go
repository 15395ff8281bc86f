package web

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/tillwright/tillwright/pos/qr"
)

// Code is a QR code as SVG: black on white whatever the page's colours, with its
// quiet zone. It holds numbers and
// label. It fails with Invalid for a text that no code holds.
func Code(text, label string) (template.HTML, error) {
	m, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", err
	}
	side := m.Size() + 2*qr.Quiet
	var path strings.Builder
	for y := range m.Size() {
		for x := 0; x < m.Size(); x++ {
			run := 0
			for m.Dark(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+qr.Quiet, y+qr.Quiet, run, run)
				x += run
			}
		}
	}
	return template.HTML(fmt.Sprintf(`<svg class="qr" role="img" aria-label="%s" viewBox="0 0 %d %d" shape-rendering="crispEdges"><rect width="%d" height="%d" fill="#fff"/><path d="%s" fill="#000"/></svg>`,
		template.HTMLEscapeString(label), side, side, side, side, path.String())), nil
}
