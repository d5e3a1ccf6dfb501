package http

// Views are the read models that the queries ask.
type Views struct{}
