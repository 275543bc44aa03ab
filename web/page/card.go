package page

// Card is a card for somebody without a safe inbox, in words and ready to print.
type Card struct {
	Lang, Dir string
	Name      string // neutral name of the survey
	Title     string
	Lead      string
	Scan      string
	Type      string
	Where     string // address to type
	Code      string
	Until     string
	Yours     string
	Square    Square
}

// Square is a QR code, drawn: one path over a square of Size units with the quiet
// zone inside it.
type Square struct {
	Title string // what it is, for whoever cannot see it
	Size  int
	Path  string // of the dark modules, as an SVG path says it
}
