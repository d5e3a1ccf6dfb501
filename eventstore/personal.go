package eventstore

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"

	"holdfast/domain"
)

// ErrErased is what a key ring answers for a subject whose key was destroyed.
var ErrErased = errors.New("the subject's key was destroyed")

// KeyRing gives the AES-256 key of a data subject.
type KeyRing interface {
	// SubjectKey gives the subject's key, making one when create is set and there was
	// never one. ErrErased once it was destroyed; it is never made anew.
	SubjectKey(ctx context.Context, subject domain.UserID, create bool) ([]byte, error)
}

var personalType = reflect.TypeFor[domain.Personal]()

func holdsPersonal(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == personalType {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() && holdsPersonal(t.Field(i).Type, seen) {
				return true
			}
		}
	case reflect.Slice, reflect.Pointer, reflect.Map, reflect.Array:
		return holdsPersonal(t.Elem(), seen)
	}
	return false
}

// seal gives a copy of the event whose personal texts carry their ciphertext.
func (c *Codec) seal(ctx context.Context, e domain.Event) (domain.Event, error) {
	v := reflect.New(reflect.TypeOf(e)).Elem()
	v.Set(reflect.ValueOf(e))
	err := walkPersonal(v, true, func(p *domain.Personal) error {
		if len(p.Sealed) > 0 || p.Text == "" {
			return nil
		}
		if p.Subject == "" {
			return errors.New("personal text without a subject")
		}
		key, err := c.keys.SubjectKey(ctx, p.Subject, true)
		if err != nil {
			return err
		}
		p.Sealed, err = sealText(key, p.Subject, p.Text)
		return err
	})
	return v.Interface().(domain.Event), err
}

// open fills in the text of every sealed Personal below v.
func (c *Codec) open(ctx context.Context, v reflect.Value) error {
	return walkPersonal(v, false, func(p *domain.Personal) error {
		if len(p.Sealed) == 0 {
			return nil
		}
		key, err := c.keys.SubjectKey(ctx, p.Subject, false)
		if errors.Is(err, ErrErased) {
			p.Text, p.Erased = "", true
			return nil
		}
		if err != nil {
			return err
		}
		p.Text, err = openText(key, p.Subject, p.Sealed)
		return err
	})
}

// walkPersonal visits each Personal. With copy set, slices and pointers on the way are
// replaced by copies first, so that the caller's event is left alone.
func walkPersonal(v reflect.Value, copied bool, visit func(*domain.Personal) error) error {
	if v.Type() == personalType {
		return visit(v.Addr().Interface().(*domain.Personal))
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if err := walkPersonal(v.Field(i), copied, visit); err != nil {
				return err
			}
		}
	case reflect.Slice:
		if !holdsPersonal(v.Type(), map[reflect.Type]bool{}) || v.IsNil() {
			return nil
		}
		if copied {
			fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
			reflect.Copy(fresh, v)
			v.Set(fresh)
		}
		for i := range v.Len() {
			if err := walkPersonal(v.Index(i), copied, visit); err != nil {
				return err
			}
		}
	case reflect.Pointer:
		if v.IsNil() || !holdsPersonal(v.Type(), map[reflect.Type]bool{}) {
			return nil
		}
		if copied {
			fresh := reflect.New(v.Type().Elem())
			fresh.Elem().Set(v.Elem())
			v.Set(fresh)
		}
		return walkPersonal(v.Elem(), copied, visit)
	}
	return nil
}

func sealText(key []byte, subject domain.UserID, text string) ([]byte, error) {
	gcm, err := gcmOf(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, gcm.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	return gcm.Seal(nonce, nonce, []byte(text), []byte(subject)), nil
}

func openText(key []byte, subject domain.UserID, sealed []byte) (string, error) {
	gcm, err := gcmOf(key)
	if err != nil {
		return "", err
	}
	if len(sealed) < gcm.NonceSize() {
		return "", errors.New("sealed text is cut short")
	}
	plain, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], []byte(subject))
	return string(plain), err
}

func gcmOf(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Disclose gives a copy of an opened event as one person may read it: their own text in the
// clear, the text of others left out.
func Disclose(e domain.Event, to domain.UserID) (domain.Event, error) {
	v := reflect.New(reflect.TypeOf(e)).Elem()
	v.Set(reflect.ValueOf(e))
	err := walkPersonal(v, true, func(p *domain.Personal) error {
		p.Sealed = nil
		if p.Subject != to {
			p.Text = ""
		}
		return nil
	})
	return v.Interface().(domain.Event), err
}
