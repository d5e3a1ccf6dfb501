package legacydb

import (
	"strings"
	"unicode"

	"holdfast/domain/migration"
)

// Category decodes a document of categories.
func Category(raw []byte) migration.Category {
	f, found := read(raw)
	c := migration.Category{
		Parent: f.Ref("parentId", migration.Categories), Name: f.Text("name"), Slug: f.Text("slug"), Active: f.Bool("isActive", true),
	}
	c.Order = f.Int("order", 0, 0, 1<<31-1)
	if !f.Has("isActive") {
		f.Note("isActive", "missing: true")
	}
	if c.Name == "" {
		f.Problem("name", "a text")
	}
	if c.Slug == "" && c.Name != "" {
		c.Slug = slug(c.Name)
		f.Note("slug", "missing: made of the name")
	}
	if c.Parent != "" && c.Parent == found.ObjectID {
		f.Problem("parentId", "another category")
	}
	c.Found = *found
	return c
}

// slug writes a name as part of an address.
func slug(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return '-'
	}, name), "-")
}
