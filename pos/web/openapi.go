package web

import (
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tillwright/tillwright/pos"
)

type obj = map[string]any

// openAPI writes the document of routes, OpenAPI 3.1. Schemas come from the very
// types that are decoded and encoded, so the two cannot part.
func openAPI(rs []route, version string) obj {
	if version == "" {
		version = "0" // the document must name one
	}
	s := schemas{}
	paths := obj{}
	for _, r := range rs {
		name := pathParam.ReplaceAllString(r.path, "{$1}")
		item, ok := paths[name].(obj)
		if !ok {
			item = obj{}
			paths[name] = item
		}
		item[strings.ToLower(r.method)] = operation(r, s)
	}
	s.of(reflect.TypeFor[problem]())
	return obj{
		"openapi": "3.1.0",
		"info": obj{"title": "Till", "version": version,
			"description": "The till's local API. Money is counted in minor units, written as strings; quantities in thousandths. " +
				"A POST repeated with the same Idempotency-Key happens once and gets the same answer."},
		"paths": paths,
		"components": obj{"schemas": s, "securitySchemes": obj{
			"bearer": obj{"type": "http", "scheme": "bearer"},
			"cookie": obj{"type": "apiKey", "in": "cookie", "name": cookieName}}},
	}
}

var pathParam = regexp.MustCompile(`:([a-z]+)`)

func operation(r route, s schemas) obj {
	op := obj{"summary": r.about, "parameters": parameters(r), "operationId": operationID(r)}
	if r.need != "" {
		op["security"] = []obj{{"bearer": []string{}}, {"cookie": []string{}}}
		op["description"] = "Needs the role " + string(r.need) + "."
	}
	if r.in != nil {
		op["requestBody"] = obj{"required": true, "content": obj{"application/json": obj{"schema": s.of(reflect.TypeOf(r.in))}}}
	}
	fine := obj{"description": "Done."}
	switch {
	case r.media != "":
		fine["content"] = obj{r.media: obj{}}
	case r.out != nil:
		fine["content"] = obj{"application/json": obj{"schema": s.of(reflect.TypeOf(r.out))}}
	}
	op["responses"] = obj{
		strconv.Itoa(r.status): fine,
		"default": obj{"description": "Refused, or failed: nothing was changed unless the detail says so.",
			"content": obj{"application/problem+json": obj{"schema": obj{"$ref": "#/components/schemas/problem"}}}},
	}
	return op
}

func operationID(r route) string {
	return strings.ToLower(r.method) + strings.NewReplacer("/v1", "", "/", "_", ":", "", "-", "_", ".", "_").Replace(r.path)
}

func parameters(r route) []obj {
	out := []obj{}
	for _, m := range pathParam.FindAllStringSubmatch(r.path, -1) {
		out = append(out, obj{"name": m[1], "in": "path", "required": true, "schema": obj{"type": "string"}})
	}
	for _, q := range r.query {
		out = append(out, obj{"name": q.name, "in": "query", "description": q.about, "schema": obj{"type": "string"}})
	}
	if r.keyed {
		out = append(out, obj{"name": "Idempotency-Key", "in": "header", "required": true,
			"schema": obj{"type": "string", "minLength": 1, "maxLength": pos.MaxKey}})
	}
	return out
}

// schemas holds the named ones.
type schemas map[string]any

// known are types that write themselves.
var known = map[reflect.Type]obj{
	reflect.TypeFor[time.Time](): {"type": "string", "format": "date-time"},
	reflect.TypeFor[pos.Hash]():  {"type": "string", "pattern": "^[0-9a-f]{64}$"},
	reflect.TypeFor[pos.Amount](): closed(obj{
		"minor": obj{"type": "string", "pattern": "^-?[0-9]+$"}, "decimals": obj{"type": "integer"}, "currency": obj{"type": "string"},
	}, "minor", "decimals", "currency"),
	reflect.TypeFor[pos.Quantity](): closed(obj{
		"units": obj{"type": "string", "pattern": "^[0-9]+$"}, "asset": obj{"type": "object"},
	}, "units", "asset"),
	reflect.TypeFor[pos.Rate](): closed(obj{
		"from": obj{"type": "string"}, "to": obj{"type": "object"}, "units": obj{"type": "string", "pattern": "^[0-9]+(/[0-9]+)?$"},
		"source": obj{"type": "string"}, "at": obj{"type": "string", "format": "date-time"},
	}, "from", "to", "units", "source", "at"),
}

func closed(props obj, required ...string) obj {
	return obj{"type": "object", "properties": props, "required": required, "additionalProperties": false}
}

// of returns the schema of t; a struct with a name goes among the named ones.
func (s schemas) of(t reflect.Type) obj {
	if k, ok := known[t]; ok {
		return s.named(t, func() obj { return k })
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Struct:
		return s.named(t, func() obj { return s.object(t) })
	case reflect.Slice:
		return obj{"type": []string{"array", "null"}, "items": s.of(t.Elem())}
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface {
			return obj{"type": "object"}
		}
		return obj{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.String:
		return obj{"type": "string"}
	case reflect.Bool:
		return obj{"type": "boolean"}
	default:
		return obj{"type": "integer"}
	}
}

// named puts make's schema among the named ones, once, and refers to it. The
// place is taken first: a type may hold itself.
func (s schemas) named(t reflect.Type, make func() obj) obj {
	name := t.Name()
	if name == "" || name == "Time" || name == "Hash" {
		return make()
	}
	if _, ok := s[name]; !ok {
		s[name] = obj{}
		s[name] = make()
	}
	return obj{"$ref": "#/components/schemas/" + name}
}

func (s schemas) object(t reflect.Type) obj {
	props, required := obj{}, []string{}
	s.fields(t, props, &required)
	slices.Sort(required)
	return closed(props, required...)
}

func (s schemas) fields(t reflect.Type, props obj, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			s.fields(f.Type, props, required)
			continue
		case name == "-" || name == "":
			continue
		}
		schema := s.of(f.Type)
		optional := strings.Contains(options, "omit")
		if f.Type.Kind() == reflect.Pointer && !optional {
			schema = obj{"anyOf": []obj{schema, {"type": "null"}}}
		}
		props[name] = schema
		if !optional {
			*required = append(*required, name)
		}
	}
}
