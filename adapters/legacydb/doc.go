// Package legacydb reads the old backend's database: a running Mongo, a directory of mongodump, or
// one of mongoexport. It turns one document into a thing of domain/migration with a list of what
// is wrong with it; it decides nothing and writes nothing.
package legacydb
