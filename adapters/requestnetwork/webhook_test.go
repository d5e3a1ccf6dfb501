package requestnetwork_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/requestnetwork"
	"holdfast/domain/network"
)

type sample struct {
	Name, Event, RawBody string
	Headers              map[string]string
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, into))
}

func samples(t *testing.T) (secret string, all []sample) {
	t.Helper()
	var doc struct {
		Secret  string
		Samples []sample
	}
	load(t, "testdata/rn-webhooks-own.json", &doc)
	require.NotEmpty(t, doc.Samples)
	return doc.Secret, doc.Samples
}

func parser(t *testing.T) *requestnetwork.Parser {
	t.Helper()
	r, err := network.Known()
	require.NoError(t, err)
	return requestnetwork.NewParser(r)
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	secret, all := samples(t)
	for _, s := range all {
		sig, body := s.Headers["x-request-network-signature"], []byte(s.RawBody)
		assert.True(t, requestnetwork.NewVerifier(secret).Verify(sig, body), s.Name)
		assert.True(t, requestnetwork.NewVerifier("new", secret).Verify(sig, body), "the old secret during a rotation")
		assert.False(t, requestnetwork.NewVerifier("new", "").Verify(sig, body), "and not after it")
	}
	body := []byte(all[0].RawBody)
	good := all[0].Headers["x-request-network-signature"]
	for name, bad := range map[string]string{
		"none": "", "upper case": strings.ToUpper(good), "prefix": "sha256=" + good, "short": good[:63], "long": good + "0",
		"one bit": flip(good), "spaces": " " + good, "no hex": strings.Repeat("z", 64),
	} {
		assert.False(t, requestnetwork.NewVerifier(secret).Verify(bad, body), name)
	}
	assert.False(t, requestnetwork.NewVerifier(secret).Verify(good, append(body, ' ')), "the raw body is signed, not its meaning")
	assert.False(t, requestnetwork.NewVerifier().Verify(requestnetwork.Sign("", body), body), "no secret, no trust")
}

func flip(hex string) string {
	if hex[0] == '0' {
		return "1" + hex[1:]
	}
	return "0" + hex[1:]
}

// The provider's published samples, where that file is at hand: its example secret is text
// that looks like hex, and using it as hex is the classic mistake.
func TestPublishedSamples(t *testing.T) {
	t.Parallel()
	path := "../../../shared/data/request-network-webhooks.json"
	if _, err := os.Stat(path); os.IsNotExist(err) {
		t.Log("the published samples are not beside this checkout; our own vectors stand alone")
		return
	}
	var doc struct {
		Secret         string
		Samples        []sample
		SignatureCases []struct {
			Name, RawBody, Signature string
			Valid                    *bool
		}
	}
	load(t, path, &doc)
	v, p := requestnetwork.NewVerifier(doc.Secret), parser(t)
	for _, s := range doc.Samples {
		assert.True(t, v.Verify(s.Headers["x-request-network-signature"], []byte(s.RawBody)), s.Event)
		h, err := p.Hint(s.Headers, []byte(s.RawBody))
		require.NoError(t, err, s.Event)
		assert.Equal(t, s.Event, h.Event)
	}
	for _, c := range doc.SignatureCases {
		assert.Equal(t, c.Valid != nil && *c.Valid, v.Verify(c.Signature, []byte(c.RawBody)), c.Name)
	}
}

func TestHintsOfEveryEvent(t *testing.T) {
	t.Parallel()
	_, all := samples(t)
	p := parser(t)
	kinds := map[string]network.HintKind{}
	for _, s := range all {
		h, err := p.Hint(s.Headers, []byte(s.RawBody))
		require.NoError(t, err, s.Name)
		assert.Equal(t, s.Event, h.Event)
		assert.False(t, h.Test)
		kinds[s.Event] = h.Kind
		if h.Kind == network.Paid {
			assert.NotZero(t, h.Chain, s.Name)
			assert.Len(t, h.Tx, 66, s.Name)
			assert.Len(t, h.RequestID, 66, s.Name)
			assert.Len(t, h.Reference, 18, s.Name)
		}
	}
	assert.Equal(t, map[string]network.HintKind{
		"payment.confirmed": network.Paid, "payment.confirmed.client_id": network.Paid, "payment.confirmed.checkout": network.Paid,
		"payment.partial": network.Paid, "payment.failed": network.Trouble, "payment.refunded": network.Refunded,
		"request.recurring": network.Recurring, "compliance.updated": network.Noise,
		"secure_payment.user_event": network.Noise, "secure_payment.access_rejected": network.Noise,
	}, withCheckout(kinds))
	first, err := p.Hint(all[0].Headers, []byte(all[0].RawBody))
	require.NoError(t, err)
	variant, err := p.Hint(all[1].Headers, []byte(all[1].RawBody))
	require.NoError(t, err)
	variant.Event = first.Event
	assert.Equal(t, first, variant, "variants point at the same transaction")
	test, err := p.Hint(map[string]string{"x-request-network-test": "true"}, []byte(all[0].RawBody))
	require.NoError(t, err)
	assert.True(t, test.Test)
}

func withCheckout(kinds map[string]network.HintKind) map[string]network.HintKind {
	if _, ok := kinds["payment.confirmed.checkout"]; !ok {
		kinds["payment.confirmed.checkout"] = kinds["payment.confirmed"]
	}
	return kinds
}

func TestBodiesThatAreSignedAndStillBad(t *testing.T) {
	t.Parallel()
	p := parser(t)
	for name, body := range map[string]string{
		"empty": ``, "null": `null`, "array": `[]`, "text": `"x"`, "broken": `{"event":"payment.confirmed"`, "trailing comma": `{"event":"a",}`,
		"two values": `{"event":"a"}{"event":"b"}`, "no event": `{"requestId":"1"}`, "event is a number": `{"event":1}`,
		"hash is an object": `{"event":"payment.confirmed","txHash":{}}`, "amount is a number": `{"event":"payment.confirmed","amount":1}`,
		"ids differ": `{"event":"payment.confirmed","requestId":"1","requestID":"2"}`, "twice": `{"event":"payment.confirmed","event":"payment.failed"}`,
		"NUL": `{"event":"payment.confirmed","note":"a\u0000b"}`, "NUL in a name": `{"event":"payment.confirmed","a\u0000":1}`,
		"huge number": `{"event":"payment.confirmed","x":1e400}`, "depth bomb": `{"event":"a","x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
	} {
		_, err := p.Hint(nil, []byte(body))
		assert.ErrorIs(t, err, requestnetwork.ErrInvalidPayload, name)
	}
	for name, c := range map[string]struct {
		body string
		want network.Hint
	}{
		"unknown event":    {`{"event":"payment.invented"}`, network.Hint{Event: "payment.invented", Kind: network.Noise}},
		"other case":       {`{"event":"payment.failed","Event":"payment.confirmed"}`, network.Hint{Event: "payment.failed", Kind: network.Trouble}},
		"one id":           {`{"event":"payment.failed","requestID":"r"}`, network.Hint{Event: "payment.failed", Kind: network.Trouble, RequestID: "r"}},
		"unknown network":  {`{"event":"payment.confirmed","network":"solana","txHash":"zz"}`, network.Hint{Event: "payment.confirmed", Kind: network.Paid, Network: "solana"}},
		"null and strange": {`{"event":"payment.confirmed","txHash":null,"paymentReference":"0x12","fees":{"a":[1]}}`, network.Hint{Event: "payment.confirmed", Kind: network.Paid}},
	} {
		got, err := p.Hint(nil, []byte(c.body))
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
}

func FuzzHint(f *testing.F) {
	f.Add(`{"event":"payment.confirmed","txHash":"0x00"}`)
	f.Add(`[{}]`)
	r, err := network.Known()
	require.NoError(f, err)
	p := requestnetwork.NewParser(r)
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := p.Hint(nil, []byte(body)); err == nil && !json.Valid([]byte(body)) {
			t.Fatalf("accepted %q, which is not JSON", body)
		}
	})
}

func TestReferences(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "0xa0098add01acc736", requestnetwork.Reference("01847474747474", "8d03ea7", "0x000001"), "the provider's own vector")
	var doc struct {
		References []struct{ RequestID, Salt, PaymentAddress, PaymentReference, Note string }
	}
	load(t, "testdata/rn-references-own.json", &doc)
	require.NotEmpty(t, doc.References)
	for _, c := range doc.References {
		assert.Equal(t, c.PaymentReference, requestnetwork.Reference(c.RequestID, c.Salt, c.PaymentAddress), c.Note)
	}
}

// Every event that the provider documents, with what it leads to.
func TestEveryDocumentedEvent(t *testing.T) {
	t.Parallel()
	p := parser(t)
	for body, want := range map[string]network.HintKind{
		`{"event":"payment.confirmed"}`:                                             network.Paid,
		`{"event":"payment.confirmed.client_id"}`:                                   network.Paid,
		`{"event":"payment.confirmed.checkout"}`:                                    network.Paid,
		`{"event":"payment.partial"}`:                                               network.Paid,
		`{"event":"payment.partial.client_id"}`:                                     network.Paid,
		`{"event":"payment.partial.checkout"}`:                                      network.Paid,
		`{"event":"payment.failed","subStatus":"insufficient_funds"}`:               network.Trouble,
		`{"event":"payment.refunded","refundedTo":"0x1"}`:                           network.Refunded,
		`{"event":"payment.processing","subStatus":"bounced"}`:                      network.Progress,
		`{"event":"request.recurring"}`:                                             network.Recurring,
		`{"event":"payment_detail.updated","status":"failed"}`:                      network.Noise,
		`{"event":"secure_payment.user_event"}`:                                     network.Noise,
		`{"event":"secure_payment.access_rejected"}`:                                network.Noise,
		`{"event":"client_id.linked"}`:                                              network.Noise,
		`{"event":"compliance.updated","kycStatus":"approved","isCompliant":true}`:  network.Noise,
		`{"event":"compliance.updated","kycStatus":"pending","isCompliant":false}`:  network.Noise,
		`{"event":"compliance.updated","kycStatus":"approved","isCompliant":false}`: network.Doubt,
		`{"event":"compliance.updated","kycStatus":"rejected"}`:                     network.Doubt,
		`{"event":"compliance.updated","agreementStatus":"rejected"}`:               network.Doubt,
		`{"event":"kyt.screening.completed","status":"blocked"}`:                    network.Doubt,
		`{"event":"kyt.screening.completed","score":99}`:                            network.Noise,
	} {
		h, err := p.Hint(nil, []byte(body))
		require.NoError(t, err, body)
		assert.Equal(t, want, h.Kind, body)
		assert.Equal(t, want == network.Doubt, h.Detail != "", body)
	}
	header := map[string]string{"X-Request-Network-Test": "true"}
	test, err := p.Hint(header, []byte(`{"event":"payment.confirmed"}`))
	require.NoError(t, err)
	assert.True(t, test.Test)
	live, err := p.Production().Hint(header, []byte(`{"event":"payment.confirmed"}`))
	require.NoError(t, err)
	assert.False(t, live.Test, "in production nobody turns a notice into a test by a header that is not signed")
}
