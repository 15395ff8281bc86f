package pos

import "time"

// Books is where the till stands after its last record: what the ledger folded
// from the journal, apart from the sales themselves.
type Books struct {
	Last       uint64      // number of the newest record folded in
	Hash       Hash        // its hash
	Genesis    Genesis     // zero before the first record
	Count      uint64      // completed sales
	Turnover   Amount      // their totals
	Refs       uint64      // references (#0417) given out
	Current    SaleID      // the sale the cashier works on; empty for none
	LastDone   SaleID      // the sale completed last
	Shown      bool        // its PAID or CHANGE picture was ended by the next customer
	Acked      uint64      // the backoffice holds every record up to here
	Enrolled   *Enrolled   // nil before enrolment
	Enrolment  Hash        // of the newest record that says so; zero before enrolment
	Checkpoint *Checkpoint // the backoffice's last recorded word
	Staffed    bool        // somebody may sign in, or could once
	Fork       *Fork       // the backoffice holds another history; a person must come
	Stopped    bool        // the newest record says that the till was shut down in order
	Unsent     Unsent

	Lost   *RecordsLost // nil while the storage lost nothing; replaced, never changed
	Untold bool         // no record says so yet: Lost is to become a KindRecordsLost
	Unsure uint64       // so many of Count may never have been: nobody knows what the newest gap held

	Counter      uint32                        // of the newest offline request
	Terms        *OfflineTerms                 // nil before the first
	Policies     map[Tender]TenderPolicy       // as last recorded; replaced, never changed
	Wrong        []time.Time                   // the newest wrong codes, MaxWrongCodesHour at most; replaced, never changed
	Allowed      map[string]TokenAllowed       // by token: managers' newest words; replaced, never changed
	Destinations map[string]DestinationChanged // by name: where money goes, as last recorded; replaced, never changed

	Distrust map[Tender]TrustChanged // not to be taken by customers' word, and since which loss; replaced, never changed
}

// Unsent is what the backoffice does not hold yet.
type Unsent struct {
	Sales  int       // completed sales above Acked
	First  uint64    // record that completed the first of them
	Amount Amount    // their totals
	Oldest time.Time // when the first of them was completed; zero when there is none
}

// Filed is a completed sale's entry in the index; the sale itself is in the
// record that completed it.
type Filed struct {
	Sale    SaleID `json:"sale"`
	N       uint64 `json:"n"`       // its place in the receipt series, from 1
	Receipt string `json:"receipt"` // "01-000482"
	Record  uint64 `json:"record"`  // number of the completing record
	Copies  int    `json:"copies"`  // reprints so far
}

// DraftChange is a change of what no record tells of: a basket, and which sale is the
// current one.
type DraftChange struct {
	Put     *Sale  // replaces the basket of the same ID
	Drop    SaleID // forgets an empty basket
	Current SaleID // the current sale from now on
	Shown   bool   // the last sale's picture was ended
	Refs    uint64 // references given out so far
	Cmd     Cmd    // the command that asked for it
	Answer  Answer // and its answer
}

// Notice kinds, by which screens choose sound and colour.
const (
	NoticePaid    = "paid"    // a sale in the background was paid
	NoticeLate    = "late"    // money came after the till had stopped waiting
	NoticeOver    = "over"    // more came than was asked
	NoticeDouble  = "double"  // a sale was paid twice: the owner owes a refund
	NoticePrinter = "printer" // a paper was given up
	NoticeTrouble = "trouble" // a person must come
)
