package api_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/sync/backoffice/store"
	"github.com/tillwright/tillwright/sync/backoffice/tilltest"
	"github.com/tillwright/tillwright/sync/wire"
)

const treasury = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

func seedOf(n byte) wire.AddressSeed {
	a := wire.AddressSeed{Scheme: 1, Treasury: treasury}
	for i := range a.Seed {
		a.Seed[i] = n + byte(3*i)
	}
	return a
}

// seedHex is seedOf(0xA1)'s seed, as it travels.
const seedHex = "a1a4a7aaadb0b3b6b9bcbfc2c5c8cbced1d4d7dadde0e3e6e9eceff2f5f8fbfe"

func (o *office) kept() []store.Seed {
	o.t.Helper()
	ss, err := o.db.Seeds(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return ss
}

// TestKeepSeed sends a till's seeds as a till does. Goal: each is kept once and for good,
// and not as it is.
func TestKeepSeed(t *testing.T) {
	o := newOffice(t)
	till := newTill(1)
	client := o.enrol(till)
	for range 3 { // the answer was lost, or the till began anew
		if err := client.KeepSeed(t.Context(), seedOf(0xA1)); err != nil {
			t.Fatal(err)
		}
	}
	moved := seedOf(0xA1)
	moved.Treasury = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359" // another wallet of the owner's: other addresses
	for _, a := range []wire.AddressSeed{moved, seedOf(2)} {
		if err := client.KeepSeed(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	ss := o.kept()
	if len(ss) != 3 {
		t.Fatalf("%d are kept", len(ss))
	}
	for _, s := range ss {
		if s.Till != till.Genesis.Till || s.Scheme != 1 || s.Kept.IsZero() || s.State != "" {
			t.Errorf("%+v", s)
		}
	}
	again := o.enrol(till) // enrolled once more: what was kept stays
	if err := again.KeepSeed(t.Context(), seedOf(3)); err != nil || len(o.kept()) != 4 {
		t.Errorf("%v, %d are kept", err, len(o.kept()))
	}
	raw := seedOf(0xA1).Seed
	for _, s := range o.kept() {
		if bytes.Contains(s.Sealed, raw[:8]) || bytes.Contains(s.Mark, raw[:8]) {
			t.Error("a seed is kept as it is")
		}
	}
}

// TestHostileSeeds: another till's seed, and a thousand of one's own. Goal: neither
// moves what is kept, and the owner hears of both.
func TestHostileSeeds(t *testing.T) {
	o := newOffice(t)
	good, bad := newTill(1), tilltest.New(2, "02", "EUR", midnight)
	client, hostile := o.enrol(good), o.enrol(bad)
	if err := client.KeepSeed(t.Context(), seedOf(0xA1)); err != nil {
		t.Fatal(err)
	}
	if err := hostile.KeepSeed(t.Context(), seedOf(0xA1)); pos.KindOf(err) != pos.Invalid || strings.Contains(err.Error(), "a1a4") { // 409
		t.Errorf("another till's: %v", err)
	}
	if alarms, err := o.db.Alarms(t.Context()); err != nil || len(alarms) != 1 || alarms[0].Times != 1 || !strings.Contains(alarms[0].Why.In("en"), "copy") {
		t.Errorf("the owner hears %+v, %v", alarms, err)
	}
	elsewhere := seedOf(0xA1)
	elsewhere.Treasury = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
	if err := hostile.KeepSeed(t.Context(), elsewhere); err != nil { // other addresses: it is as good as a seed of its own
		t.Errorf("with another treasury: %v", err)
	}
	taken := 1
	for i := range 1000 {
		a := seedOf(7)
		a.Seed[0], a.Seed[1] = byte(i), byte(i>>8)
		err := hostile.KeepSeed(t.Context(), a)
		if err == nil {
			taken++
		} else if pos.KindOf(err) != pos.Exhausted {
			break // the limit of an address, too
		}
	}
	if taken > 32 {
		t.Errorf("%d are kept of one till", taken)
	}
	for _, s := range o.kept() {
		if s.Mark != nil && s.Till == good.Genesis.Till && s.Treasury != treasury {
			t.Errorf("%+v", s)
		}
	}
	alarms, err := o.db.Alarms(t.Context())
	if err != nil || len(alarms) != 1 || alarms[0].Kind != store.AlarmSeeds || alarms[0].Till != bad.Genesis.Till {
		t.Errorf("the owner hears %+v, %v", alarms, err)
	}
	var mine int
	for _, s := range o.kept() {
		if s.Till == good.Genesis.Till {
			mine++
		}
	}
	if mine != 1 {
		t.Errorf("%d of the good till's are kept", mine)
	}
}

// TestSeedRefused spoils requests. Goal: only a till's own word about itself is taken, and
// no refusal says the seed back.
func TestSeedRefused(t *testing.T) {
	o := newOffice(t)
	till := newTill(1)
	o.enrol(till)
	id, counter := till.Genesis.Till, int64(100)
	body := func(scheme, treasury, seed string) string {
		return fmt.Sprintf(`{"scheme":%s,"treasury":%q,"seed":%q}`, scheme, treasury, seed)
	}
	good := body("1", treasury, seedHex)
	path := wire.AddressSeedsPath(id)
	tests := []struct {
		name, path, body string
		spoil            func(r *wire.Request, h map[string]string)
		want             int
	}{
		{"good", path, good, nil, 200},
		{"the same again", path, good, func(r *wire.Request, h map[string]string) { r.Counter--; h[wire.HeaderCounter] = itoa(r.Counter) }, 409},
		{"another till's key", path, good, func(r *wire.Request, h map[string]string) { h[wire.HeaderSignature] = r.Sign(officeKey) }, 403},
		{"no signature", path, good, func(_ *wire.Request, h map[string]string) { h[wire.HeaderSignature] = "x" }, 403},
		{"signed for records", path, good, func(r *wire.Request, _ map[string]string) { r.Path = wire.RecordsPath(id) }, 403},
		{"another seed signed", path, good, func(r *wire.Request, _ map[string]string) {
			r.Body = []byte(strings.Replace(good, "a1a4", "a1a5", 1))
		}, 403},
		{"not enrolled", wire.AddressSeedsPath("0011223344556677"), good, nil, 404},
		{"no till", wire.AddressSeedsPath("x"), good, nil, 422},
		{"an unknown name", path, `{"scheme":1,"treasury":"` + treasury + `","seed":"` + seedHex + `","n":1}`, nil, 422},
		{"a name in capitals", path, strings.Replace(good, `"seed"`, `"Seed"`, 1), nil, 422},
		{"a name twice", path, strings.Replace(good, `"scheme"`, `"seed":"`+seedHex+`","scheme"`, 1), nil, 400},
		{"no seed", path, `{"scheme":1,"treasury":"` + treasury + `"}`, nil, 422},
		{"a short seed", path, body("1", treasury, seedHex[:62]), nil, 422},
		{"a long seed", path, body("1", treasury, seedHex+"00"), nil, 422},
		{"a seed in capitals", path, body("1", treasury, strings.ToUpper(seedHex)), nil, 422},
		{"no digits", path, body("1", treasury, "zz"+seedHex[2:]), nil, 422},
		{"zero", path, body("1", treasury, strings.Repeat("0", 64)), nil, 422},
		{"a seed as numbers", path, `{"scheme":1,"treasury":"` + treasury + `","seed":[161,164]}`, nil, 422},
		{"scheme 0", path, body("0", treasury, seedHex), nil, 422},
		{"scheme 256", path, body("256", treasury, seedHex), nil, 422},
		{"half a scheme", path, body("1.5", treasury, seedHex), nil, 422},
		{"no treasury", path, body("1", "", seedHex), nil, 422},
		{"zero treasury", path, body("1", "0x"+strings.Repeat("0", 40), seedHex), nil, 400},
		{"a name for a treasury", path, body("1", "shop.eth", seedHex), nil, 422},
		{"a list", path, "[" + good + "]", nil, 422},
		{"two", path, good + good, nil, 400},
		{"a large body", path, strings.Repeat(" ", 20<<10) + good, nil, 413},
	}
	for _, tt := range tests {
		counter++
		r := wire.Request{Method: "POST", Path: tt.path, To: officePublic(), Counter: counter, Body: []byte(tt.body)}
		h := map[string]string{wire.HeaderCounter: itoa(counter)}
		if tt.spoil != nil {
			tt.spoil(&r, h)
		}
		if h[wire.HeaderSignature] == "" {
			h[wire.HeaderSignature] = r.Sign(till.Key)
		}
		status, head, answer := o.call("POST", tt.path, tt.body, "Content-Type", "application/json", wire.HeaderCounter, h[wire.HeaderCounter], wire.HeaderSignature, h[wire.HeaderSignature])
		if status != tt.want {
			t.Errorf("%s: %d, want %d: %.300s", tt.name, status, tt.want, answer)
		}
		if low := strings.ToLower(answer); strings.Contains(low, seedHex[2:20]) || strings.Contains(low, "161,") { // the comma: the time of the answer ends in any digits
			t.Errorf("%s: the answer says the seed back: %.400s", tt.name, answer)
		}
		if status >= 400 {
			problem(t, status, head, answer)
			if head.Get(wire.HeaderSignature) != "" {
				t.Errorf("%s: a refusal is signed", tt.name)
			}
			continue
		}
		o.fitsSchema("keep-address-seed", answer)
	}
	if len(o.kept()) != 1 {
		t.Errorf("%d are kept", len(o.kept()))
	}
	for _, path := range []string{"/v1/tills", "/v1/alarms"} { // no list holds it
		if _, _, answer := o.owner("GET", path, ""); strings.Contains(answer, seedHex[:20]) {
			t.Errorf("%s shows it", path)
		}
	}
}

// fitsSchema holds an answer against the document.
func (o *office) fitsSchema(id, answer string) {
	o.t.Helper()
	for _, item := range o.api.OpenAPI().Paths {
		if item.Post == nil || item.Post.OperationID != id {
			continue
		}
		o.validate(item.Post, answer)
	}
}

func (o *office) validate(op *huma.Operation, answer string) {
	o.t.Helper()
	v := decodeAny(o.t, answer)
	res := &huma.ValidateResult{}
	huma.Validate(o.api.OpenAPI().Components.Schemas, op.Responses["200"].Content["application/json"].Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, res)
	for _, err := range res.Errors {
		o.t.Errorf("%s does not fit: %v\n%s", op.OperationID, err, answer)
	}
}

// TestSeedNotInFile looks at the very bytes of the database.
func TestSeedNotInFile(t *testing.T) {
	o := newOffice(t)
	if err := o.enrol(newTill(1)).KeepSeed(t.Context(), seedOf(0xA1)); err != nil {
		t.Fatal(err)
	}
	raw := seedOf(0xA1).Seed
	for _, name := range []string{"", "-wal"} {
		b, err := os.ReadFile(o.file + name)
		if err != nil && name == "" {
			t.Fatal(err)
		}
		if bytes.Contains(b, raw[:10]) || bytes.Contains(b, []byte(seedHex[:20])) {
			t.Error("the database holds a seed as it is")
		}
	}
}
