package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// actor is one of the till's threads of work: run works until ctx ends or it
// fails; stop, if not nil, helps it end.
type actor struct {
	name string
	run  func(ctx context.Context) error
	stop func()
}

// group runs actors. The first to return stops the rest.
type group struct{ actors []actor }

func (g *group) add(name string, run func(context.Context) error, stop func()) {
	g.actors = append(g.actors, actor{name, run, stop})
}

// run starts every actor, waits for ctx to end or the first actor to return, stops
// them in reverse order, and returns the first failure; nil when ctx ended it.
func (g *group) run(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, a := range g.actors {
		wg.Go(func() {
			err := a.run(ctx)
			if err == nil {
				err = errors.New("ended by itself")
			}
			cancel(fmt.Errorf("%s: %w", a.name, err)) // only the first call counts
		})
	}
	<-ctx.Done()
	for i := len(g.actors) - 1; i >= 0; i-- {
		if stop := g.actors[i].stop; stop != nil {
			stop()
		}
	}
	wg.Wait()
	if parent.Err() != nil {
		return nil
	}
	return context.Cause(ctx)
}
