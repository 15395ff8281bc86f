package web

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
)

// What a manager decides about the shop's own addresses and about tokens off their value.

type allowIn struct {
	Price string `json:"price,omitempty"` // that was seen: "0.9750"
	Off   bool   `json:"off,omitempty"`
}

type confirmIn struct {
	Address string `json:"address"` // that was seen
}

// maxSeen bounds what somebody says that he saw, in bytes: an address has 64 at most.
const maxSeen = 100

// allowToken takes a token that is off its value at the price that was seen.
func (a *App) allowToken(c *fiber.Ctx) error {
	var in allowIn
	token, err := seen(c, "token", &in, func() string { return in.Price })
	if err != nil {
		return err
	}
	return a.do(c, fiber.StatusOK, pos.AllowToken{Token: token, Price: in.Price, Off: in.Off})
}

// confirmDestination lets money go to the address that was seen.
func (a *App) confirmDestination(c *fiber.Ctx) error {
	var in confirmIn
	name, err := seen(c, "destination", &in, func() string { return in.Address })
	if err != nil {
		return err
	}
	return a.do(c, fiber.StatusOK, pos.ConfirmDestination{Name: name, Address: in.Address})
}

// seen reads what a request is about, and into in what was seen of it.
func seen(c *fiber.Ctx, param string, in any, what func() string) (string, error) {
	name := strings.Clone(c.Params(param))
	if !idForm(name) {
		return "", pos.E("read request", pos.NotFound, "there is no %s %q", param, clip(name))
	}
	if err := decode(c, in); err != nil {
		return "", err
	}
	if len(what()) > maxSeen {
		return "", pos.E("read request", pos.Invalid, "this is longer than anything that the screens show")
	}
	return name, nil
}
