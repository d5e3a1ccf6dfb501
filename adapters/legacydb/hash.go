package legacydb

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
)

// Hash names what a document says: the SHA-256, in hex, of its BSON with the fields sorted by name at
// every depth. The order of array elements counts, that of fields does not.
func Hash(raw bson.Raw) (string, error) {
	h := sha256.New()
	if err := hashDocument(h, raw); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hashDocument(h hash.Hash, raw bson.Raw) error {
	elements, err := raw.Elements()
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	slices.SortStableFunc(elements, func(a, b bson.RawElement) int { return strings.Compare(a.Key(), b.Key()) })
	for _, e := range elements {
		h.Write([]byte(e.Key() + "\x00"))
		if err := hashValue(h, e.Value()); err != nil {
			return err
		}
	}
	h.Write([]byte{0})
	return nil
}

func hashValue(h hash.Hash, v bson.RawValue) error {
	h.Write([]byte{byte(v.Type)})
	switch v.Type {
	case bson.TypeEmbeddedDocument:
		return hashDocument(h, v.Document())
	case bson.TypeArray:
		values, err := v.Array().Values()
		if err != nil {
			return fmt.Errorf("read an array: %w", err)
		}
		for _, item := range values {
			if err := hashValue(h, item); err != nil {
				return err
			}
		}
		h.Write([]byte{0})
		return nil
	}
	_, err := h.Write(v.Value)
	return err
}
