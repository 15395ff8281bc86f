package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"
)

// init makes schemas tell "Code" from "code": the library's own default takes one
// for the other. The switch is the library's, for the whole process.
func init() { huma.ValidateStrictCasing = true }

// maxDepth bounds how deep JSON may nest; ours goes three deep.
const maxDepth = 16

// unmarshalStrict reads exactly one JSON value in which no name stands twice. That
// every name is known, in its exact spelling, is the schema's to check: it is
// given the names as they stand, while encoding/json would take "CODE" for "code"
// and the last of two.
func unmarshalStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := walk(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return json.Unmarshal(b, v)
}

// walk passes over one value.
func walk(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("JSON nests deeper than %d", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if text, _ := name.(string); seen[text] {
				return fmt.Errorf("%q stands twice", text)
			} else {
				seen[text] = true
			}
		}
		if err := walk(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
