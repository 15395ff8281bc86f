package api

import (
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/offpay"
	"github.com/tillwright/tillwright/sync/wire"
)

// Money is the one object for money.
type Money struct {
	Minor    string `json:"minor" pattern:"^-?[0-9]+$" example:"1250" doc:"Number of minor units"`
	Decimals int    `json:"decimals" example:"2" doc:"Decimals of the minor unit"`
	Currency string `json:"currency" example:"EUR" doc:"ISO 4217"`
}

// Units is a quantity of an asset in base units.
type Units struct {
	Units string    `json:"units" pattern:"^[0-9]+$"`
	Asset pos.Asset `json:"asset"`
}

// Rate is the price of one minor unit.
type Rate struct {
	From   string    `json:"from" doc:"ISO 4217"`
	To     pos.Asset `json:"to"`
	Units  string    `json:"units" doc:"Base units of the asset for one minor unit, an exact fraction"`
	Source string    `json:"source"`
	At     time.Time `json:"at"`
}

// Limits bound what a till sells without a line.
type Limits struct {
	PerSale string `json:"per_sale" pattern:"^[0-9]+$" doc:"Minor units of one payment"`
	Total   string `json:"total" pattern:"^[0-9]+$" doc:"Minor units of all payments without a final outcome"`
	Sales   int    `json:"sales" doc:"Number of those payments"`
	Age     int64  `json:"age_ns" doc:"Of the oldest of them, in nanoseconds"`
	TTL     int    `json:"ttl" doc:"Minutes that a customer has to begin paying"`
}

// alias tells the schemas how pos's values look once they are written.
func alias(r huma.Registry) {
	for of, as := range map[any]any{
		pos.Amount{}: Money{}, pos.Quantity{}: Units{}, pos.Hash{}: "", pos.Rate{}: Rate{},
		offpay.Device{}: "", offpay.Key{}: "", offpay.Limits{}: Limits{}, wire.Seed{}: "",
	} {
		r.RegisterTypeAlias(reflect.TypeOf(of), reflect.TypeOf(as))
	}
}

// TillOut is a till as the owner sees it.
type TillOut struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Series   string    `json:"series" doc:"Prefix of its receipt numbers"`
	Currency string    `json:"currency"`
	Enrolled time.Time `json:"enrolled"`
	Seen     time.Time `json:"seen" doc:"Its last request"`
	SafeTo   uint64    `json:"safe_to" doc:"Every record up to this one is here, none missing"`
	Hash     pos.Hash  `json:"hash" doc:"Of that record"`
	Sales    uint64    `json:"sales" doc:"Completed sales since its first day"`
}

// AlarmOut is something that the owner must look at.
type AlarmOut struct {
	Till  string    `json:"till"`
	Kind  string    `json:"kind" enum:"fork,corrupt,red,offline_refuted,offline_conflict,address_seeds"`
	N     uint64    `json:"n" doc:"Number of the record it is about; of the offline request for kinds that begin with offline"`
	Why   string    `json:"why"`
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Times int64     `json:"times"`
}

// RecordOut is a record as the till wrote it.
type RecordOut struct {
	N        uint64    `json:"n"`
	Kind     string    `json:"kind"`
	At       time.Time `json:"at"`
	Received time.Time `json:"received"`
	Hash     pos.Hash  `json:"hash"`
	Line     string    `json:"line" doc:"The exact line, newline included: what the hash and the signature are of"`
}

// CodeIn asks for an enrolment code.
type CodeIn struct {
	Name string `json:"name" maxLength:"60" doc:"What you call the till; may be empty"`
}

// CodeOut is an enrolment code.
type CodeOut struct {
	Code string    `json:"code" example:"7KQF-2M8X"`
	Ends time.Time `json:"ends"`
}

// Page is a page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
}
