package web

// SetUpCode returns the code that a phone is asked for when it sets this till up, for
// a panel at the till; empty when somebody may sign in already.
func (a *App) SetUpCode() string {
	if len(a.o.Staff.Names()) > 0 {
		return ""
	}
	return a.code
}
