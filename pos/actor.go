package pos

// Role says what someone may do.
type Role string

// Roles, each of which includes the ones before it.
const (
	Cashier Role = "cashier"
	Manager Role = "manager"
	Owner   Role = "owner"
)

// rank orders the roles; an unknown one may do nothing.
var rank = map[Role]int{Cashier: 1, Manager: 2, Owner: 3}

// Includes reports that r may do what needs need.
func (r Role) Includes(need Role) bool { return rank[r] > 0 && rank[r] >= rank[need] }

// Actor is the person, or the machine, that does something at the till.
type Actor struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Role Role   `json:"role"`
}

// Till is the actor of what nobody asked for: recovery, expiry, settlement.
var Till = Actor{ID: "till", Name: "Till", Role: Cashier}
