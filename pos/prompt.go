package pos

// Prompt is what a cashier reads who has a keypad and a small panel: what the till
// asks for now, what was typed so far, and which keys do something. It is a value,
// made anew after every key; all texts are in the shop's language. The newest one
// replaces all others.
type Prompt struct {
	Kind  PromptKind
	Title string // what is asked for: "To pay", "PIN of Anna"
	Who   string // who is signed in; empty: nobody
	Typed Typed
	Rows  []PromptRow // the basket's end, the newest last, at most MaxPromptRows
	Sum   PromptRow   // what stands above all: the total, or what is due
	Back  PromptRow   // change to give back

	Choices []PromptChoice // to choose from by number
	At      int            // index of the one that is marked
	Keys    []PromptKey    // what other keys do now, the most needed first

	Hint    string   // one sentence: what to do
	Trouble string   // one sentence: what did not work, and what to do
	Notice  string   // what happened by itself
	Links   []string // lines that are down, each in a word or two

	// Yields: on a panel that cashier and customer share, the customer's picture may
	// have the place, with Keys in one line below it.
	Yields bool
}

// MaxPromptRows is how many lines of a basket a Prompt tells of: no panel that a
// keypad stands beside shows more.
const MaxPromptRows = 8

// PromptKind says what a Prompt is about, for whoever draws it.
type PromptKind string

// Kinds of prompts.
const (
	PromptSetUp  PromptKind = "set-up" // nobody may use the till yet
	PromptPIN    PromptKind = "pin"
	PromptChoose PromptKind = "choose" // a list
	PromptSell   PromptKind = "sell"   // amounts go into the basket
	PromptPay    PromptKind = "pay"    // how is it paid?
	PromptWait   PromptKind = "wait"   // the customer is paying
	PromptDoubt  PromptKind = "doubt"  // nobody knows whether he has paid
	PromptDone   PromptKind = "done"   // paid; change, if any
)

// Typed is an entry so far, as it will be taken.
type Typed struct {
	Qty    int64  // thousandths, before ×; 0: none was typed
	Amount Amount // zero value: none yet
	Sum    Amount // Qty × Amount, once both are there
	Text   string // instead of both: a number of the list, a code, or what cannot be taken
	Secret int    // that many digits of a PIN
}

// IsZero reports that nothing was typed.
func (t Typed) IsZero() bool { return t == Typed{} }

// PromptRow is a line of a Prompt: "3 × 2.50 … 7.50".
type PromptRow struct {
	Label  string
	Qty    int64 // thousandths; 0 or 1000: not worth telling
	Amount Amount
}

// PromptChoice is one of a list.
type PromptChoice struct {
	Key  string // the number to type; empty where there is no keypad
	Text string
	Off  bool   // cannot be chosen now
	Why  string // why not, or what to know about it
}

// PromptKey says what a key does.
type PromptKey struct {
	Key  string // as it is printed on the key: "Enter", "+"
	Text string
}
