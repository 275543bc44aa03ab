package coding

// Folders of the corpus.
const (
	trainDir    = "../testdata/corpus/train"
	examplesDir = "../testdata/corpus/examples"
	heldOutDir  = "../testdata/corpus/heldout"
)
