package page

// Work is what the layout of the workspace (work-top, work-end) needs; pages embed it.
type Work struct {
	Title    string
	Who      string    // who is signed in and as what; empty: nobody
	Nav      []Place   // the places on the left; none: no navigation
	Done     string    // what the last form did, in words
	Problems []Problem // what is wrong with what was sent
	Style    string    // address of a further style sheet; empty: none
	Script   string    // name of a further static script; empty: none
}

// Place is one entry of the navigation.
type Place struct {
	Href, Label string
	Part        string // heading of the places that begin here; empty: none begin
	Count       int    // something waits there; 0: nothing
	Here        bool
}
