package requestnetwork

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"holdfast/domain/fault"
	"holdfast/domain/network"
)

// ErrInvalidPayload: signed, but not a JSON object that can be understood. Keep the bytes.
var ErrInvalidPayload = fault.New(fault.Malformed, "INVALID_PAYLOAD", "the body is not a JSON object in the provider's shape")

// Names knows the provider's names of networks; the registry does.
type Names interface {
	ChainNamed(name string) (network.Chain, bool)
}

// Parser reads deliveries.
type Parser struct {
	names Names
	// real takes a delivery that says to be a test for a real one: see Production.
	real bool
}

// NewParser makes a parser that believes the test header.
func NewParser(n Names) *Parser { return &Parser{names: n} }

// Production gives a parser that does not look at the test header. It is not signed, so that
// with it anybody who captured a delivery could make a real one look like a test. A test
// delivery then is what every notice is: a hint, and the chain shows nothing for it.
func (p *Parser) Production() *Parser { return &Parser{names: p.names, real: true} }

// kinds of the events, without their ".client_id" and ".checkout" variants, which announce
// the same payment once more. What is not listed is noise: telemetry, compliance, and
// events that did not exist when this was written.
var kinds = map[string]network.HintKind{
	"payment.confirmed":  network.Paid,
	"payment.partial":    network.Paid,
	"payment.failed":     network.Trouble,
	"payment.refunded":   network.Refunded,
	"payment.processing": network.Progress,
	"request.recurring":  network.Recurring,
	// Of an orchestrator's account; read by their verdict, see doubtful.
	"compliance.updated":      network.Noise,
	"kyt.screening.completed": network.Noise,
}

// Hint reads a delivery. The fields that we use must have their type; everything else may
// be what it likes. The test flag is a header, and headers are not signed.
func (p *Parser) Hint(headers map[string]string, body []byte) (network.Hint, error) {
	fields, err := object(body)
	if err != nil {
		return network.Hint{}, ErrInvalidPayload.Because("%v", err)
	}
	var h network.Hint
	var other string
	for _, f := range []struct {
		name string
		into *string
	}{
		{"event", &h.Event},
		{"requestId", &h.RequestID},
		{"requestID", &other},
		{"paymentReference", &h.Reference},
		{"network", &h.Network},
		{"txHash", &h.Tx},
		{"amount", &h.Amount},
		{"subStatus", &h.Code},
		{"failureReason", &h.Detail},
	} {
		if err := text(fields[f.name], f.into); err != nil {
			return network.Hint{}, ErrInvalidPayload.Because("%s: %v", f.name, err)
		}
	}
	switch {
	case h.Event == "":
		return network.Hint{}, ErrInvalidPayload.Because("there is no event")
	case h.RequestID != "" && other != "" && h.RequestID != other:
		return network.Hint{}, ErrInvalidPayload.Because("requestId and requestID differ")
	case h.RequestID == "":
		h.RequestID = other
	}
	h = p.complete(h, headers)
	if reason := doubt(h.Event, fields); reason != "" {
		h.Kind, h.Detail = network.Doubt, reason
	}
	return h, nil
}

// verdicts are the words by which a compliance check says no. "pending" is none of them.
var verdicts = map[string]bool{"rejected": true, "failed": true, "blocked": true, "denied": true, "declined": true, "revoked": true}

// doubt says why a compliance event speaks against the payer; empty when it does not. The docs
// show isCompliant, kycStatus and agreementStatus; the fields of a screening are not documented,
// so what is not understood is only stored.
func doubt(event string, fields map[string]json.RawMessage) string {
	if event != "compliance.updated" && event != "kyt.screening.completed" {
		return ""
	}
	for _, name := range []string{"kycStatus", "agreementStatus", "status", "result"} {
		var word string
		if text(fields[name], &word) == nil && verdicts[strings.ToLower(word)] {
			return event + ": " + name + " is " + strings.ToLower(word)
		}
	}
	if string(fields["isCompliant"]) == "false" && string(fields["kycStatus"]) != `"pending"` {
		return event + ": isCompliant is false"
	}
	return ""
}

func (p *Parser) complete(h network.Hint, headers map[string]string) network.Hint {
	base := strings.TrimSuffix(strings.TrimSuffix(h.Event, ".client_id"), ".checkout")
	if h.Kind = kinds[base]; h.Kind == "" {
		h.Kind = network.Noise
	}
	if h.Reference = strings.ToLower(h.Reference); !referenceGrammar.MatchString(h.Reference) {
		h.Reference = ""
	}
	if c, ok := p.names.ChainNamed(h.Network); ok {
		h.Chain = c.ID
	}
	if tx, err := network.ParseTx(h.Tx); err == nil {
		h.Tx = tx
	} else {
		h.Tx = "" // nothing to look up; the scanner finds the payment by its reference
	}
	for name, value := range headers {
		if strings.EqualFold(name, HeaderTest) {
			h.Test = value == "true" && !p.real
		}
	}
	return h
}

// text reads a string; absent and null are empty.
func text(raw json.RawMessage, into *string) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	if raw[0] != '"' {
		return errors.New("not a string")
	}
	return json.Unmarshal(raw, into)
}

// maxDepth of nested values; a body may be signed and still be a bomb.
const maxDepth = 32

// object reads one JSON object by its exact field names: encoding/json would let "Amount"
// overwrite "amount". Duplicates, a NUL in any string, numbers beyond a float and deep
// nesting are refused, because no store downstream agrees on them.
func object(body []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := walk(d, 0); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something after the object")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, errors.New("the body is not an object")
	}
	return fields, nil
}

func walk(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch v := t.(type) {
	case string:
		return noNUL(v)
	case json.Number:
		if _, err := strconv.ParseFloat(v.String(), 64); err != nil {
			return errors.New("a number is out of range")
		}
	case json.Delim:
		if depth >= maxDepth {
			return fmt.Errorf("more than %d levels", maxDepth)
		}
		return walkInside(d, v == '{', depth)
	}
	return nil
}

func walkInside(d *json.Decoder, isObject bool, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		if isObject {
			t, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := t.(string)
			if seen[name] {
				return errors.New("a field is there twice")
			}
			seen[name] = true
			if err := noNUL(name); err != nil {
				return err
			}
		}
		if err := walk(d, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token() // the closing bracket
	return err
}

func noNUL(s string) error {
	if strings.ContainsRune(s, 0) {
		return errors.New("a string holds a NUL")
	}
	return nil
}
