package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"net/url"
	"unicode/utf8"
)

// Action is what a wallet shows once it has paid (LUD-09, LUD-10).
type Action struct {
	Tag         string `json:"tag"` // url, aes, message
	Description string `json:"description,omitempty"`
	URL         string `json:"url,omitempty"`
	Message     string `json:"message,omitempty"` // of aes: what the preimage opened

	// Of aes, as the server sent it.
	Ciphertext string `json:"ciphertext,omitempty"`
	IV         string `json:"iv,omitempty"`
}

// Bounds of LUD-09 and LUD-10.
const (
	actionWords = 144     // letters of a message or a description
	cipherMax   = 4 << 10 // characters
	ivText      = 24      // characters: 16 bytes
)

// check says whether the wallet can show the action after paying; nil is fine. What
// it cannot show it must not pay for. callback is where the invoice came from.
func (a *Action) check(callback *url.URL) error {
	if a == nil {
		return nil
	}
	if utf8.RuneCountInString(a.Description) > actionWords || utf8.RuneCountInString(a.Message) > actionWords {
		return errors.New("what it wants to show after the payment is too long")
	}
	switch a.Tag {
	case "message":
		return nil
	case "url":
		u, err := phoneAddress(a.URL)
		if err != nil || u.Host != callback.Host { // on one computer the port is the domain
			return errors.New("it wants to lead somewhere else after the payment")
		}
		return nil
	case "aes":
		iv, err := base64.StdEncoding.DecodeString(a.IV)
		data, err2 := base64.StdEncoding.DecodeString(a.Ciphertext)
		if err != nil || err2 != nil || len(a.IV) != ivText || len(iv) != aes.BlockSize ||
			len(a.Ciphertext) > cipherMax || len(data) == 0 || len(data)%aes.BlockSize != 0 {
			return errors.New("its secret message is malformed")
		}
		return nil
	default:
		return errors.New("it wants something after the payment that this wallet does not know")
	}
}

// opened returns the action as it is shown: the secret message in clear. The money
// is gone by then, so a message that does not open is said to be so, and is no
// error. nil stays nil.
func (a *Action) opened(preimage []byte) *Action {
	if a == nil {
		return nil
	}
	shown := *a
	shown.Ciphertext, shown.IV = "", ""
	switch a.Tag {
	case "message":
		shown.Description, shown.URL = "", ""
	case "url":
		shown.Message = ""
	case "aes":
		shown.URL = ""
		text, err := decrypt(preimage, a.IV, a.Ciphertext)
		if shown.Message = text; err != nil {
			shown.Message = "(the shop's secret message does not open)"
		}
	}
	return &shown
}

// decrypt opens LUD-10's ciphertext: AES-256-CBC with PKCS #7 padding, the key is
// the payment's preimage.
func decrypt(preimage []byte, iv64, cipher64 string) (string, error) {
	iv, err := base64.StdEncoding.DecodeString(iv64)
	data, err2 := base64.StdEncoding.DecodeString(cipher64)
	if err = errors.Join(err, err2); err != nil {
		return "", err
	}
	block, err := aes.NewCipher(preimage)
	if err != nil {
		return "", err
	}
	if len(preimage) != 32 || len(iv) != aes.BlockSize || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return "", errors.New("not AES-256-CBC")
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > aes.BlockSize {
		return "", errors.New("no padding")
	}
	text, end := data[:len(data)-pad], data[len(data)-pad:]
	if !bytes.Equal(end, bytes.Repeat([]byte{byte(pad)}, pad)) || !utf8.Valid(text) {
		return "", errors.New("no text")
	}
	return string(text), nil
}
