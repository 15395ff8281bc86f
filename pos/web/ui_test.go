package web

import (
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

// uiBudget bounds all screens together, as they are served: the four pages of
// five languages in 148 KiB. A phone on a shop's network has them in half a
// second; a library from elsewhere would not fit.
const uiBudget = 148 << 10

// TestUI holds the screens to one rule: the browser runs only what is in this
// repository, and only from files.
func TestUI(t *testing.T) {
	bad := map[string]*regexp.Regexp{
		"another origin":    regexp.MustCompile(`(?i)(src|href|url\(|from|import|fetch\()[\s=("']*(https?:)?//`),
		"an inline script":  regexp.MustCompile(`(?i)<script(?:[^>]*src=)?[^>]*>[^<]`),
		"an inline handler": regexp.MustCompile(`(?i)<[^>]+\son[a-z]+\s*=`),
		"an inline style":   regexp.MustCompile(`(?i)<style|\sstyle\s*=`),
		"markup from text":  regexp.MustCompile(`\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b|new Function`),
		"a float of money":  regexp.MustCompile(`parseFloat|Number\([^)]*(minor|amount|total|due|price)`),
	}
	imports := regexp.MustCompile(`(?m)^import (?:[^"']* from )?["']([^"']+)["']|(?:src|href)="([^"]+)"`)
	size := 0
	for name, f := range uiFiles() {
		size += len(f.data)
		if f.media == "" {
			t.Errorf("%s has no media type", name)
		}
		for what, re := range bad {
			if m := re.Find(f.data); m != nil {
				t.Errorf("%s holds %s: %s", name, what, m)
			}
		}
		for _, m := range imports.FindAllStringSubmatch(string(f.data), -1) {
			to := m[1] + m[2]
			if _, ok := uiFiles()[path.Join(path.Dir(name), to)]; !ok || !strings.HasPrefix(to, ".") {
				t.Errorf("%s asks for %s, which is not there", name, to)
			}
		}
		if strings.HasSuffix(name, ".js") && !strings.HasPrefix(string(f.data), "// @ts-check\n") {
			t.Errorf("%s is not checked for types", name)
		}
	}
	if size > uiBudget {
		t.Errorf("the screens are %d bytes, more than %d", size, uiBudget)
	}
	t.Logf("%d bytes of %d", size, uiBudget)
}

// TestServedScripts holds that only comments are taken out of a script, and no line.
func TestServedScripts(t *testing.T) {
	for name, f := range uiFiles() {
		if !strings.HasSuffix(name, ".js") {
			continue
		}
		source, err := ui.ReadFile("ui" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, note := range notes.FindAllIndex(source, -1) {
			if strings.Count(string(source[:note[0]]), "`")%2 > 0 {
				t.Errorf("%s: %s stands within a text", name, source[note[0]:note[1]])
			}
		}
		if a, b := strings.Count(string(source), "\n"), strings.Count(string(f.data), "\n"); a != b {
			t.Errorf("%s has %d lines and is served with %d", name, a, b)
		}
		for _, doc := range docs.FindAllIndex(source, -1) {
			line := source[:doc[0]]
			line = line[strings.LastIndexByte(string(line), '\n')+1:]
			own := strings.TrimSpace(string(line)) == ""
			if text := string(source[doc[0]:doc[1]]); !own && !strings.Contains(text, "@type") && !strings.Contains(text, "@param") {
				t.Errorf("%s: %s is no comment of its own", name, text)
			}
			if strings.Count(string(line), `"`)%2+strings.Count(string(line), "`")%2 > 0 {
				t.Errorf("%s: %s stands within a text", name, source[doc[0]:doc[1]])
			}
		}
	}
	if got := string(withoutDocs([]byte("// @ts-check\na /** x */ b /**\n y\n*/ c // d\n  // e\nf"))); got != "// @ts-check\na   b \n\n c // d\n\nf" {
		t.Errorf("got %q", got)
	}
}

// TestUIWords finds every word that a page asks for in the catalogue, and no
// word of the screens that nobody asks for.
func TestUIWords(t *testing.T) {
	var words map[string]map[string]string
	if err := json.Unmarshal(pos.WordsJSON(), &words); err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`"(ui\.[a-z_.]+)"`)
	used, made := map[string]bool{}, []string{"ui.problem.", "ui.link.", "ui.link_", "ui.role.", "ui.tender.", "ui.reason.", "ui.form.", "ui.form_is.", "ui.owed_is.", "ui.paid_background", "ui.no_rate"}
	for name, f := range uiFiles() {
		for _, m := range asked.FindAllStringSubmatch(string(f.data), -1) {
			used[m[1]] = true
			if _, ok := words[m[1]]; !ok && !strings.HasSuffix(m[1], ".") && !strings.HasSuffix(m[1], "_") {
				t.Errorf("%s asks for %s, which has no text", name, m[1])
			}
		}
	}
	for key := range words {
		if !strings.HasPrefix(key, "ui.") || used[key] {
			continue
		}
		if !containsPrefix(made, key) {
			t.Errorf("nobody asks for %s", key)
		}
	}
}

func containsPrefix(prefixes []string, s string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// TestProblemWords has a title for every problem in every language.
func TestProblemWords(t *testing.T) {
	names := []string{"sign-in", "cross-site", "host", "media-type", "method", "too-large"}
	for k := pos.Internal; k <= pos.Exhausted; k++ {
		names = append(names, k.String())
		if status[k] == 0 {
			t.Errorf("%s has no status", k)
		}
	}
	for _, n := range names {
		for _, lang := range pos.Languages {
			if key := "ui.problem." + n; pos.Word(lang, key) == key {
				t.Errorf("%s has no text", key)
			}
		}
	}
}
