package offline

import (
	"net/http/httptest"
	"os"
	"testing"

	"github.com/gofiber/fiber/v2"
)

// TestMain answers one request outside of every bubble: fasthttp starts its clock
// with the first one, and that goroutine never ends.
func TestMain(m *testing.M) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/", func(c *fiber.Ctx) error { return c.SendString("") })
	res, err := app.Test(httptest.NewRequest("GET", "/", nil), -1)
	if err != nil {
		panic(err)
	}
	_ = res.Body.Close()
	os.Exit(m.Run())
}
