package telegram

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strconv"
	"time"
)

// Widget checks what the login widget gave a page: one JSON object of texts and whole numbers. It
// needs the bot's token. The codes are those of InitData.
func (v *Verifier) Widget(object []byte, maxAge time.Duration, now time.Time) (Proof, error) {
	if v.token == "" {
		return Proof{}, ErrSignature.Because("the login widget cannot be checked without the bot's token")
	}
	fields, err := flat(object)
	if err != nil {
		return Proof{}, err
	}
	secret := sha256.Sum256([]byte(v.token))
	signed := checkString(fields, "hash")
	if !sameHex(fields["hash"], mac(secret[:], signed)) {
		return Proof{}, ErrSignature
	}
	id, err := strconv.ParseInt(fields["id"], 10, 64)
	if err != nil {
		return Proof{}, ErrSignature.Because("the data names no user")
	}
	p := Proof{
		User: User{ID: id, FirstName: fields["first_name"], LastName: fields["last_name"], Username: fields["username"]},
		Key:  sha256.Sum256([]byte("widget\n" + signed)),
	}
	return p.at(fields["auth_date"], maxAge, now)
}

// flat reads an object of texts and whole numbers, each field once, the numbers as they stand.
func flat(object []byte) (map[string]string, error) {
	none := ErrSignature.Because("this is not what the login widget gives")
	if len(object) > maxInitData {
		return nil, none
	}
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, none
	}
	fields := map[string]string{}
	for d.More() && len(fields) <= maxFields {
		name, err := d.Token()
		if err != nil {
			return nil, none
		}
		value, err := d.Token()
		if err != nil {
			return nil, none
		}
		text, isText := value.(string)
		if n, isNumber := value.(json.Number); isNumber {
			text, isText = n.String(), true
		}
		if _, twice := fields[name.(string)]; twice || !isText {
			return nil, none
		}
		fields[name.(string)] = text
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') || d.More() {
		return nil, none
	}
	return fields, nil
}
