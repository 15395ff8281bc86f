package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

var errNoSuchNode = errors.New("name a node (shop, customer, chain) and an action (stop, start, restart)")

// Control stops, starts or restarts the shop's node, the customer's node or the
// chain, and returns when that is done. While it is stopped a node stays down; a
// test or a curious user decides when it comes back.
func (n *Nodes) Control(ctx context.Context, name, action string) error {
	child, start := n.controls(name)
	if child == nil || !slices.Contains([]string{"stop", "start", "restart"}, action) {
		return errNoSuchNode
	}
	if action != "start" {
		child.Stop(stopGrace)
	}
	if action == "stop" {
		return nil
	}
	if err := start(ctx); err != nil {
		return err
	}
	if n.shop.child.Running() && n.cust.child.Running() && n.chain.Running() {
		return await(ctx, "the channel", n.relink)
	}
	return nil
}

func (n *Nodes) controls(name string) (*Child, func(context.Context) error) {
	node := n.shop
	switch name {
	case "chain":
		return n.chain, n.startChain
	case "customer":
		node = n.cust
	case "shop":
	default:
		return nil, nil
	}
	return node.child, func(ctx context.Context) error {
		if err := node.child.Start(); err != nil {
			return fmt.Errorf("start %s's node: %w", name, err)
		}
		return node.child.Await(ctx, node.reached(serverActive))
	}
}
