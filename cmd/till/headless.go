package main

import (
	"net"

	"github.com/tillwright/tillwright/pos"
	"github.com/tillwright/tillwright/pos/keypad"
)

// buildHeadless puts a numeric keypad before the desk, if the shop has one, and tells
// the cashier's panels what it asks for. Without a keypad they tell what stands on the
// counter. The screens on phones and tablets run all the same.
func (t *till) buildHeadless() {
	if !t.c.headless.on {
		t.prompts = func(v pos.View) { t.display.Prompt(keypad.Watch(v)) }
		return
	}
	pad := keypad.New(keypad.Options{
		Desk: t.desk, Staff: t.desk, Currency: t.c.shop.Currency, Language: t.c.shop.Language, Layout: t.c.headless.layout,
		SetUp:   func() (string, string) { return setUpAddress(t.c.listen, localAddresses()), t.app.SetUpCode() },
		Changed: t.display.Prompt, Log: t.log,
	})
	t.keypad, t.prompts = pad, pad.Publish
	t.actors.add("keypad", pad.Run, nil)
}

// localAddresses returns those of this board, none when they cannot be read.
func localAddresses() []net.Addr {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	return list
}

// setUpAddress is what to type into a phone's browser: the board's address on the
// shop's network, IPv4 before IPv6, and the port that listen names.
func setUpAddress(listen string, local []net.Addr) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = reachable(local)
	}
	if port == "80" {
		return host + "/setup"
	}
	return net.JoinHostPort(host, port) + "/setup"
}

// reachable returns the first address that a phone can reach, "localhost" if there is
// none: the cable is not in yet.
func reachable(local []net.Addr) string {
	best := "localhost"
	for _, a := range local {
		n, ok := a.(*net.IPNet)
		if !ok || !n.IP.IsGlobalUnicast() {
			continue
		}
		if n.IP.To4() != nil {
			return n.IP.String()
		}
		if best == "localhost" {
			best = n.IP.String()
		}
	}
	return best
}
