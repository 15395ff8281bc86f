package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
)

// The vector of lightning.md, of LUD-10's form.
const (
	aesPreimage = "c0f9b692a068450e9362bf1688b1d3dd46132c7540b4f23f44047dcb49931d01"
	aesIV       = "iybzJqQe9JuEah7yySQWvg=="
	aesCipher   = "ahj9qQxHwjZmyv+H5floPkXdXvv0cNj3KCLxPOH1Pw8="
	aesText     = "sic transit gloria mundi"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// encrypt is LUD-10's other side.
func encrypt(t testing.TB, key, iv, padded []byte) string {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(padded)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, out)
	return base64.StdEncoding.EncodeToString(out)
}

func TestDecrypt(t *testing.T) {
	key, iv := unhex(t, aesPreimage), make([]byte, 16)
	iv64 := base64.StdEncoding.EncodeToString(iv)
	if got, err := decrypt(key, aesIV, aesCipher); got != aesText || err != nil {
		t.Errorf("got %q, %v, want %q", got, err, aesText)
	}
	block := func(end ...byte) []byte { return append(bytes.Repeat([]byte("a"), 16-len(end)), end...) }
	full := bytes.Repeat([]byte{16}, 16)
	if got, err := decrypt(key, iv64, encrypt(t, key, iv, append(block(), full...))); got != strings.Repeat("a", 16) || err != nil {
		t.Errorf("a whole block of padding: got %q, %v", got, err)
	}
	for name, c := range map[string]struct {
		key        []byte
		iv, cipher string
	}{
		"other key":      {unhex(t, strings.Repeat("11", 32)), aesIV, aesCipher},
		"no key":         {nil, aesIV, aesCipher},
		"short key":      {key[:16], aesIV, aesCipher},
		"hex for base64": {key, aesIV, "6a18fda90c47c23666caff87e5f9683e"},
		"half a block":   {key, aesIV, base64.StdEncoding.EncodeToString(make([]byte, 8))},
		"nothing":        {key, aesIV, ""},
		"short iv":       {key, base64.StdEncoding.EncodeToString(iv[:8]), aesCipher},
		"iv no base64":   {key, "!", aesCipher},
		"zero padding":   {key, iv64, encrypt(t, key, iv, block(0))},
		"long padding":   {key, iv64, encrypt(t, key, iv, block(17))},
		"uneven padding": {key, iv64, encrypt(t, key, iv, block(2, 3, 3))},
		"no UTF-8":       {key, iv64, encrypt(t, key, iv, block(0xff, 1))},
	} {
		if got, err := decrypt(c.key, c.iv, c.cipher); err == nil {
			t.Errorf("%s: opened to %q", name, got)
		}
	}
}

// Goal: what the wallet could not show, or must not follow, it does not pay for.
func TestActionCheck(t *testing.T) {
	callback, err := url.Parse("http://127.0.0.1:8081/o/x/cb")
	if err != nil {
		t.Fatal(err)
	}
	const at = "http://127.0.0.1:8081/o/x"
	long := strings.Repeat("ü", actionWords)
	secret := func(change func(*Action)) *Action {
		a := &Action{Tag: "aes", Description: long, IV: aesIV, Ciphertext: aesCipher}
		if change != nil {
			change(a)
		}
		return a
	}
	for _, c := range []struct {
		name string
		a    *Action
		want string // "" for fine
	}{
		{"none", nil, ""},
		{"url", &Action{Tag: "url", Description: long, URL: at}, ""},
		{"message", &Action{Tag: "message", Message: long}, ""},
		{"aes", secret(nil), ""},
		{"unknown", &Action{Tag: "javascript"}, "does not know"},
		{"no tag", &Action{URL: at}, "does not know"},
		{"capital tag", &Action{Tag: "URL", URL: at}, "does not know"},
		{"long description", &Action{Tag: "url", Description: long + "x", URL: at}, "too long"},
		{"long message", &Action{Tag: "message", Message: long + "x"}, "too long"},
		{"another port", &Action{Tag: "url", URL: "http://127.0.0.1:8082/v1/wallet"}, "somewhere else"},
		{"another name of it", &Action{Tag: "url", URL: "http://localhost:8081/o/x"}, "somewhere else"},
		{"another computer", &Action{Tag: "url", URL: "https://evil.example/"}, "somewhere else"},
		{"script", &Action{Tag: "url", URL: "javascript:alert(1)"}, "somewhere else"},
		{"relative", &Action{Tag: "url", URL: "/o/x"}, "somewhere else"},
		{"no url", &Action{Tag: "url"}, "somewhere else"},
		{"short iv", secret(func(a *Action) { a.IV = a.IV[4:] }), "malformed"},
		{"iv without padding", secret(func(a *Action) { a.IV = strings.TrimRight(a.IV, "=") }), "malformed"},
		{"no ciphertext", secret(func(a *Action) { a.Ciphertext = "" }), "malformed"},
		{"hex", secret(func(a *Action) { a.Ciphertext = strings.Repeat("0f", 8) }), "malformed"},
		{"large", secret(func(a *Action) { a.Ciphertext = base64.StdEncoding.EncodeToString(make([]byte, 16*200)) }), "malformed"},
	} {
		if err := c.a.check(callback); (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

// Goal: an action shows what its kind shows and no more; a secret that does not open
// loses nobody the payment.
func TestActionOpened(t *testing.T) {
	all := Action{Description: "d", URL: "u", Message: "m", Ciphertext: aesCipher, IV: aesIV}
	for tag, want := range map[string]Action{
		"url": {Tag: "url", Description: "d", URL: "u"}, "message": {Tag: "message", Message: "m"},
		"aes": {Tag: "aes", Description: "d", Message: aesText},
	} {
		a := all
		a.Tag = tag
		if got := a.opened(unhex(t, aesPreimage)); *got != want {
			t.Errorf("%s: got %+v, want %+v", tag, *got, want)
		}
	}
	all.Tag = "aes"
	if got := all.opened(nil); got.Message == "" || got.Message == "m" || got.Description != "d" {
		t.Errorf("without its key: %+v", got)
	}
	if (*Action)(nil).opened(nil) != nil {
		t.Error("nothing opens to something")
	}
}
