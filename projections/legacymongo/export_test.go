package legacymongo

// CompareInUpdates makes the store replace documents as on a server that finds by _id and more
// without reading them all.
func (s *Store) CompareInUpdates() { s.kind.Store(guarded) }
