package web

import (
	"strings"
	"testing"

	"github.com/tillwright/tillwright/pos"
)

var movedEVM = pos.DestinationView{
	Name: "evm", Network: "EVM", Address: "0x71C7656EC7ab88b098defB751B7401B5f6d8976F", Old: "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	Why: "EVM: the money would go to 0x71C765…d8976F, until now to 0x5aAeb6…1BeAed.",
}

// TestTreasuryCalls makes the calls without a page.
func TestTreasuryCalls(t *testing.T) {
	k := serve(t)
	k.desk.Off("USDC", "0.9750")
	k.desk.Moved(movedEVM)
	const allow, confirm = "/v1/tokens/USDC/allowance", "/v1/destinations/evm/confirmations"
	ours := `{"address":"` + movedEVM.Address + `"}`
	k.want(401, "POST", allow, `{"price":"0.9750"}`)
	k.want(401, "POST", confirm, ours)
	k.signIn("p2", "2222")
	k.want(403, "POST", allow, `{"price":"0.9750"}`)
	k.want(403, "POST", confirm, ours)
	if v := k.desk.View().Counter; v.Tenders[2].Peg.By != "" || len(v.Destinations) != 1 {
		t.Errorf("a cashier did it: %+v", v)
	}
	k.signIn("p1", ownerPIN)
	k.want(404, "POST", "/v1/tokens/a%20b/allowance", `{"price":"0.9750"}`)
	k.want(400, "POST", allow, `{"price":"0.9750","days":9}`)
	k.want(400, "POST", allow, `{"price":"`+strings.Repeat("9", maxSeen+1)+`"}`)
	k.want(409, "POST", allow, `{"price":"0.9"}`)
	k.want(200, "POST", allow, `{"price":"0.9750"}`)
	k.want(200, "POST", allow, `{"off":true}`)
	k.want(404, "POST", "/v1/destinations/../confirmations", ours)
	k.want(400, "POST", confirm, `{"address":"`+strings.Repeat("0", maxSeen+1)+`"}`)
	k.want(409, "POST", confirm, `{"address":"`+movedEVM.Old+`"}`)
	k.want(200, "POST", confirm, ours)
	k.want(409, "POST", confirm, ours)
}

// TestTreasury: a cashier sees what waits for a manager; he reads price and address first.
func TestTreasury(t *testing.T) {
	k := serve(t)
	k.desk.Off("USDC", "0.9750")
	k.desk.Moved(movedEVM)
	p := tabOf(t, k, "/", 800, 480)
	p.signIn("p2", "2222")
	p.click(`[data-key="more"]`)
	p.see("dialog", "Take USDC at 0.9750 USD")
	p.wait(`document.querySelector('dialog [data-key="peg USDC"]').disabled && document.querySelector('dialog [data-key="confirm evm"]').disabled`)
	p.wait(`document.querySelectorAll('dialog [data-key^="peg "]').length === 1`) // on several networks
	p.click("dialog header button", ".who")
	p.signIn("p1", ownerPIN)
	p.click(`[data-key="more"]`)
	p.see("dialog", "New address for EVM money")
	p.shot("menu")
	p.click(`dialog [data-key="peg USDC"]`)
	p.see("dialog", "one is worth 0.9750 USD")
	p.shot("peg")
	p.click(`dialog [data-key="allow"]`)
	p.wait(`!document.querySelector("dialog[open]")`)
	if tv := k.desk.View().Counter.Tenders[2]; tv.Peg.By == "" {
		t.Errorf("not allowed: %+v", tv)
	}
	p.click(`[data-key="more"]`)
	p.see("dialog", "Stop taking USDC")
	p.click(`dialog [data-key="confirm evm"]`)
	p.see("dialog", movedEVM.Address)
	p.see("dialog", "Compare it with your own wallet")
	p.see("dialog", "It is ours: 0x71C765…d8976F")
	p.shot("address")
	p.click(`dialog [data-key="confirm"]`)
	p.wait(`!document.querySelector("dialog[open]")`)
	if v := k.desk.View().Counter; len(v.Destinations) != 0 {
		t.Errorf("not confirmed: %+v", v.Destinations)
	}
	p.click(`[data-key="more"]`)
	p.see("dialog", "Receipts")
	p.wait(`!document.querySelector("dialog").innerText.includes("New address")`)
}
