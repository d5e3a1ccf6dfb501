package migration

// Category is a document of categories: a plain row, without a stream.
type Category struct {
	Found
	Parent string // ObjectId in hex, empty for none
	Name   string
	Slug   string
	Order  int
	Active bool
}
