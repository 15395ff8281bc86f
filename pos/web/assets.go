package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// ui holds the screens: ES modules and custom elements, no build step; they are served
// as they are but for comments. `ls ui` is the inventory of all script that a browser runs.
//
//go:embed ui
var ui embed.FS

// file is something ready to be sent.
type file struct {
	media, tag string
	data       []byte
}

var medias = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func newFile(media string, data []byte) file { return file{media, `"` + nameOf(data) + `"`, data} }

// uiFiles maps paths to the files behind them: "/till.js", and pages without
// their ending: "/display".
func uiFiles() map[string]file {
	out := map[string]file{}
	err := fs.WalkDir(ui, "ui", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := ui.ReadFile(name)
		if err != nil {
			return err
		}
		switch path.Ext(name) {
		case ".js":
			data = withoutDocs(data)
		case ".css":
			data = indents.ReplaceAll(without(remarks, data), nil)
		}
		url := strings.TrimPrefix(name, "ui")
		if url == "/index.html" {
			url = "/"
		}
		out[strings.TrimSuffix(url, ".html")] = newFile(medias[path.Ext(name)], data)
		return nil
	})
	if err != nil {
		panic("web: " + err.Error()) // the files are in the binary
	}
	return out
}

// docs are what a script says to people and to the checker of types.
var docs = regexp.MustCompile(`(?s)/\*\*.*?\*/`)

// notes are lines that say why; "// @ts-check" is none.
var notes = regexp.MustCompile(`(?m)^[ \t]*// [^@\n].*$`)

// remarks are those of a style sheet.
var remarks = regexp.MustCompile(`(?s)/\*.*?\*/`)

// indents are what its lines begin with.
var indents = regexp.MustCompile(`(?m)^ +`)

// withoutDocs takes a sixth off a script that no browser needs.
func withoutDocs(script []byte) []byte { return without(docs, notes.ReplaceAll(script, nil)) }

// without takes text out. Lines keep their numbers, so that a browser's complaint leads
// to the source.
func without(text *regexp.Regexp, source []byte) []byte {
	return text.ReplaceAllFunc(source, func(doc []byte) []byte {
		if n := bytes.Count(doc, []byte("\n")); n > 0 {
			return bytes.Repeat([]byte("\n"), n)
		}
		return []byte(" ")
	})
}

type wordsPage struct {
	Language  string            `json:"language"`
	Languages []string          `json:"languages"`
	Words     map[string]string `json:"words"`
}

// wordFiles writes the catalogue of words once for each language.
func wordFiles() map[string]file {
	var all map[string]map[string]string
	if err := json.Unmarshal(pos.WordsJSON(), &all); err != nil {
		panic("web: words: " + err.Error())
	}
	out := map[string]file{}
	for _, lang := range pos.Languages {
		page := wordsPage{lang, pos.Languages, map[string]string{}}
		for key := range all {
			page.Words[key] = pos.Word(lang, key)
		}
		out[lang] = newFile(fiber.MIMEApplicationJSON, mustJSON(page))
	}
	return out
}

// send answers with f, or with 304 when the browser has it.
func send(c *fiber.Ctx, f file) error {
	c.Set(fiber.HeaderCacheControl, "no-cache") // ask each time; the answer is mostly 304
	c.Set(fiber.HeaderETag, f.tag)
	if slices.Contains(strings.Split(strings.ReplaceAll(c.Get(fiber.HeaderIfNoneMatch), " ", ""), ","), f.tag) {
		return c.SendStatus(fiber.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, f.media)
	return c.Send(f.data)
}

func (a *App) static(name string) fiber.Handler {
	f := a.files[name]
	return func(c *fiber.Ctx) error { return send(c, f) }
}

func (a *App) getWords(c *fiber.Ctx) error {
	lang := c.Query("language", a.o.Shop.Language)
	f, ok := a.words[lang]
	if !ok && c.Query("language") == "" {
		f, ok = a.words[pos.Languages[0]], true // as pos.Word does
	}
	if !ok {
		return pos.E("read words", pos.NotFound, "there are no words in %q", clip(lang))
	}
	return send(c, f)
}

type itemsPage struct {
	Items []pos.Item `json:"items"`
	Next  string     `json:"next,omitempty"`
}

// listItems pages through the catalogue; the cursor is the SKU of the next item.
func (a *App) listItems(c *fiber.Ctx) error {
	limit, err := limitOf(c, pageLimit, itemsLimit)
	if err != nil {
		return err
	}
	from := 0
	if cursor := c.Query("cursor"); cursor != "" {
		if from = slices.IndexFunc(a.o.Items, func(i pos.Item) bool { return i.SKU == cursor }); from < 0 {
			return pos.E("list items", pos.Invalid, "there is no such cursor")
		}
	}
	to := min(from+limit, len(a.o.Items))
	page := itemsPage{Items: append([]pos.Item{}, a.o.Items[from:to]...)}
	if to < len(a.o.Items) {
		page.Next = a.o.Items[to].SKU
	}
	return send(c, newFile(fiber.MIMEApplicationJSON, mustJSON(page)))
}

func picture(p Picture) fiber.Handler {
	return func(c *fiber.Ctx) error {
		png, _ := p.PNG()
		return send(c, newFile("image/png", png))
	}
}
