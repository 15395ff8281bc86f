package main

import (
	"context"
	"io"
)

func runShop(ctx context.Context, args []string, out, errs io.Writer) error { return nil }
