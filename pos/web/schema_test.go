package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// schemaOf returns what the document says about an answer, nil when it is no
// JSON. ok is false when the document does not know the request.
func schemaOf(doc map[string]any, method, path string, status int) (schema map[string]any, ok bool) {
	for template, item := range doc["paths"].(map[string]any) {
		form := "^" + regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(template), `[^/]+`) + "$"
		if !regexp.MustCompile(form).MatchString(path) {
			continue
		}
		op, found := item.(map[string]any)[strings.ToLower(method)].(map[string]any)
		if !found {
			continue
		}
		answers := op["responses"].(map[string]any)
		answer, found := answers[strconv.Itoa(status)].(map[string]any)
		if !found {
			answer = answers["default"].(map[string]any)
		}
		for media, content := range answerContent(answer) {
			if strings.HasSuffix(media, "json") {
				return content.(map[string]any)["schema"].(map[string]any), true
			}
		}
		return nil, true
	}
	return nil, false
}

func answerContent(answer map[string]any) map[string]any {
	c, _ := answer["content"].(map[string]any)
	return c
}

// conform says where v does not fit the schema. It knows what our document uses
// and refuses to pass over anything else.
func conform(doc, schema map[string]any, v any, at string) error {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		s, ok := doc["components"].(map[string]any)["schemas"].(map[string]any)[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%s: %s leads nowhere", at, ref)
		}
		return conform(doc, s, v, at)
	}
	if options, ok := schema["anyOf"].([]any); ok {
		for _, s := range options {
			if conform(doc, s.(map[string]any), v, at) == nil {
				return nil
			}
		}
		return fmt.Errorf("%s: %v fits none", at, v)
	}
	if !fits(schema["type"], v) {
		return fmt.Errorf("%s: %v is no %v", at, v, schema["type"])
	}
	switch v := v.(type) {
	case map[string]any:
		return conformObject(doc, schema, v, at)
	case []any:
		for i, e := range v {
			if err := conform(doc, schema["items"].(map[string]any), e, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case string:
		if p, ok := schema["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			return fmt.Errorf("%s: %q does not match %s", at, v, p)
		}
	}
	return nil
}

func conformObject(doc, schema, v map[string]any, at string) error {
	props, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			return fmt.Errorf("%s: %s is missing", at, name)
		}
	}
	for name, e := range v {
		s, ok := props[name].(map[string]any)
		if more, isSchema := schema["additionalProperties"].(map[string]any); !ok && isSchema {
			s, ok = more, true
		}
		if !ok && schema["additionalProperties"] == false {
			return fmt.Errorf("%s: %s is not in the document", at, name)
		}
		if ok {
			if err := conform(doc, s, e, at+"."+name); err != nil {
				return err
			}
		}
	}
	return nil
}

func fits(want any, v any) bool {
	switch want := want.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(want, func(w any) bool { return fits(w, v) })
	case string:
		got := map[bool]string{true: "null"}[v == nil]
		switch v := v.(type) {
		case string:
			got = "string"
		case bool:
			got = "boolean"
		case []any:
			got = "array"
		case map[string]any:
			got = "object"
		case float64:
			got = "number"
			if v == float64(int64(v)) {
				got = "integer"
			}
		}
		return got == want
	}
	return false
}

// check holds an answer to the document.
func (k *till) check(method, path string, r reply) {
	k.Helper()
	path, _, _ = strings.Cut(path, "?")
	schema, ok := schemaOf(k.doc(), method, path, r.StatusCode)
	if !ok && r.StatusCode < 400 && !isFile(path) {
		k.Errorf("%s %s is not in the document", method, path)
	}
	if schema == nil || len(r.body) == 0 {
		return
	}
	var v any
	if err := json.Unmarshal(r.body, &v); err != nil {
		k.Errorf("%s %s: %v: %s", method, path, err, r.body)
		return
	}
	if err := conform(k.doc(), schema, v, method+" "+path); err != nil {
		k.Errorf("not as documented: %v", err)
	}
}

func isFile(path string) bool { _, ok := uiFiles()[path]; return ok }

func (k *till) doc() map[string]any {
	var doc map[string]any
	if err := json.Unmarshal(k.app.api.data, &doc); err != nil {
		k.Fatal(err)
	}
	return doc
}

// TestOpenAPI compares the document with the running server: every route is in
// it, and nothing that is not served; every reference leads somewhere; every
// place in a path is declared.
func TestOpenAPI(t *testing.T) {
	k := serve(t)
	k.want(http.StatusOK, "GET", "/openapi.json", "")
	doc := k.doc()
	documented := map[string]bool{}
	ids := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			documented[strings.ToUpper(method)+" "+path] = true
			o := op.(map[string]any)
			if id := o["operationId"].(string); ids[id] {
				t.Errorf("two operations are called %s", id)
			} else {
				ids[id] = true
			}
			for _, m := range regexp.MustCompile(`\{([a-z]+)\}`).FindAllStringSubmatch(path, -1) {
				if !strings.Contains(fmt.Sprint(o["parameters"]), "name:"+m[1]) {
					t.Errorf("%s %s does not declare %s", method, path, m[1])
				}
			}
		}
	}
	for _, r := range k.app.fiber.GetRoutes(true) {
		name := r.Method + " " + pathParam.ReplaceAllString(r.Path, "{$1}")
		if r.Method == fiber.MethodHead || isFile(r.Path) {
			continue
		}
		if !documented[name] {
			t.Errorf("%s is served and not documented", name)
		}
		delete(documented, name)
	}
	for name := range documented {
		t.Errorf("%s is documented and not served", name)
	}
	for _, m := range regexp.MustCompile(`"#/components/schemas/([^"]+)"`).FindAllStringSubmatch(string(k.app.api.data), -1) {
		if _, ok := doc["components"].(map[string]any)["schemas"].(map[string]any)[m[1]]; !ok {
			t.Errorf("%s leads nowhere", m[0])
		}
	}
	if p := serve(t, func(o *Options) { o.Paper = nil }); p.ask("GET", "/paper", "").StatusCode != http.StatusNotFound {
		t.Error("a till without paper serves /paper")
	}
}
