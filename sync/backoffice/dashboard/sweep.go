package dashboard

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/sweep"
	"github.com/tillwright/tillwright/sync/backoffice/web"
)

// Sweeps is what the pages about stablecoins show and do.
type Sweeps interface {
	Overview(ctx context.Context) (sweep.Overview, error)
	// Prepare moves what should wait, too, when the owner ticked the box.
	Prepare(ctx context.Context, network, treasury string, too bool) (int64, error)
	Batch(ctx context.Context, id int64) (sweep.BatchView, sweep.Transaction, error)
	Deploy(network string) (sweep.Transaction, error)
	Drop(ctx context.Context, id int64) error
	// Tell takes the transaction that the owner sent for a transfer. It blocks for the network.
	Tell(ctx context.Context, id int64, text string) error
	// Now counts anew. It blocks for the networks.
	Now(ctx context.Context) error
}

// countWithin bounds the owner's wait for the networks.
const countWithin = 20 * time.Second

// count counts anew.
func (s *server) count(c *fiber.Ctx) error {
	if s.Sweeps == nil {
		return pos.Say("count stablecoins", pos.NotFound, nil, "bo_sc_unset")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), countWithin)
	defer cancel()
	if err := s.Sweeps.Now(ctx); err != nil {
		return err
	}
	return c.Redirect("/stablecoins", http.StatusSeeOther)
}

// stablecoinsData is the list of what lies where.
type stablecoinsData struct {
	Set bool
	sweep.Overview
}

func (s *server) stablecoins(c *fiber.Ctx) error {
	d := stablecoinsData{Set: s.Sweeps != nil}
	if d.Set {
		var err error
		if d.Overview, err = s.Sweeps.Overview(c.UserContext()); err != nil {
			return err
		}
	}
	return s.show(c, "stablecoins", frame{Title: s.word("bo_sc_title"), Here: "stablecoins", Signed: true}, d)
}

// prepare makes a transfer of what lies in one heap.
func (s *server) prepare(c *fiber.Ctx) error {
	if s.Sweeps == nil {
		return pos.Say("prepare transfer", pos.NotFound, nil, "bo_sc_unset")
	}
	form, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return pos.Say("prepare transfer", pos.Invalid, err, "bo_bad_form")
	}
	id, err := s.Sweeps.Prepare(c.UserContext(), c.Params("network"), form.Get("treasury"), form.Get("too") == "yes")
	if err != nil {
		return err
	}
	return c.Redirect(fmt.Sprintf("/stablecoins/transfers/%d", id), http.StatusSeeOther)
}

// transferData is a transaction to sign.
type transferData struct {
	Batch   *sweep.BatchView // nil: the contract's own transaction
	Network string           // to deploy to
	Tx      sweep.Transaction
	Code    template.HTML // the link as a QR code
	Here    string        // path of the page
}

func (s *server) transferOf(c *fiber.Ctx) (transferData, error) {
	var d transferData
	if s.Sweeps == nil {
		return d, pos.Say("show transfer", pos.NotFound, nil, "bo_sc_unset")
	}
	if d.Network = c.Params("network"); d.Network != "" {
		tx, err := s.Sweeps.Deploy(d.Network)
		d.Tx, d.Here = tx, "/stablecoins/"+d.Network+"/contract"
		return d, err
	}
	id, err := strconv.ParseInt(c.Params("id"), 10, 64)
	if err != nil {
		return d, pos.Say("show transfer", pos.NotFound, nil, "bo_not_here")
	}
	b, tx, err := s.Sweeps.Batch(c.UserContext(), id)
	d.Batch, d.Tx, d.Here = &b, tx, fmt.Sprintf("/stablecoins/transfers/%d", id)
	return d, err
}

func (s *server) transfer(c *fiber.Ctx) error {
	d, err := s.transferOf(c)
	if err != nil {
		return err
	}
	if d.Tx.Link != "" {
		if d.Code, err = web.Code(d.Tx.Link, s.word("bo_sc_transfer")); err != nil {
			return err
		}
	}
	return s.show(c, "transfer", frame{Title: s.word("bo_sc_transfer"), Here: "stablecoins", Signed: true}, d)
}

// transferFile gives the transaction as a file.
func (s *server) transferFile(c *fiber.Ctx) error {
	d, err := s.transferOf(c)
	if err != nil {
		return err
	}
	kind := strings.TrimSuffix(c.Params("file"), ".json")
	body := map[string][]byte{"safe": d.Tx.Safe, "transaction": d.Tx.JSON}[kind]
	if body == nil {
		return pos.Say("show transfer", pos.NotFound, nil, "bo_not_here")
	}
	name := "contract-" + d.Network + "-" + kind + ".json"
	if d.Batch != nil {
		name = d.Batch.FileName(kind)
	}
	c.Set(fiber.HeaderContentType, "application/json")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+name+`"`)
	return c.Send(body)
}

func (s *server) transferDrop(c *fiber.Ctx) error {
	d, err := s.transferOf(c)
	if err != nil {
		return err
	}
	if err := s.Sweeps.Drop(c.UserContext(), d.Batch.ID); err != nil {
		return err
	}
	return c.Redirect("/stablecoins", http.StatusSeeOther)
}

// transferSent takes the number of the transaction that the owner's wallet shows.
func (s *server) transferSent(c *fiber.Ctx) error {
	d, err := s.transferOf(c)
	if err != nil {
		return err
	}
	form, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return pos.Say("follow transaction", pos.Invalid, err, "bo_bad_form")
	}
	if err := s.Sweeps.Tell(c.UserContext(), d.Batch.ID, form.Get("tx")); err != nil {
		return err
	}
	return c.Redirect(d.Here, http.StatusSeeOther)
}
