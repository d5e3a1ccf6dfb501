package config

import (
	"fmt"
	"net/url"
	"reflect"
	"time"
)

// Setting is one variable as it is in force.
type Setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Settings lists every variable with its value; secrets are shown as *** and passwords
// inside URLs are blanked.
func (c *Config) Settings() []Setting {
	var all []Setting
	v := reflect.ValueOf(*c)
	for _, f := range reflect.VisibleFields(v.Type()) {
		name := f.Tag.Get("env")
		if name == "" || name == "-" {
			continue
		}
		all = append(all, Setting{Name: name, Value: shown(v.FieldByIndex(f.Index), f.Tag.Get("secret"))})
	}
	return all
}

func shown(v reflect.Value, secret string) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	if at, ok := v.Interface().(time.Time); ok {
		if at.IsZero() {
			return ""
		}
		return at.UTC().Format(time.RFC3339)
	}
	s := fmt.Sprint(v.Interface())
	switch {
	case s == "" || secret == "":
		return s
	case secret == "url":
		if u, err := url.Parse(s); err == nil {
			return u.Redacted()
		}
	}
	return "***"
}
