package http

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holdfast/domain/fault"
)

const (
	webhookPath      = "/api/payment/request-network/webhook"
	webhookSource    = "request-network"
	headerSignature  = "X-Request-Network-Signature"
	headerDelivery   = "X-Request-Network-Delivery"
	headerRetryCount = "X-Request-Network-Retry-Count"
	headerTest       = "X-Request-Network-Test"
)

// Refusals of the webhook.
var (
	errSignature = fault.New(fault.Unauthenticated, "WEBHOOK_SIGNATURE_INVALID", "the signature does not fit the body")
	errPayload   = fault.New(fault.Malformed, "INVALID_PAYLOAD", "the body is not one JSON object; it was kept for a look")
)

func webhookRoutes() []Route {
	return []Route{
		on[noticeInput, Nothing](Route{Method: "POST", Path: webhookPath, Class: Ingestion, Rate: RateExempt, Raw: true, Summary: "A provider's signed notice; stored before it is answered", Errors: []string{"WEBHOOK_SIGNATURE_INVALID", "INVALID_PAYLOAD"}}, (*Server).receive),
		on[deliveriesInput, []StoredDelivery](Route{Method: "GET", Path: webhookPath + "/deliveries", Roles: adminGuard, Class: Query, Rate: RateGeneral, Summary: "Notices that came in"}, (*Server).deliveries),
		on[replayInput, Replayed](Route{Method: "POST", Path: webhookPath + "/replay", Roles: admin, Class: Ingestion, Rate: RateGeneral, Status: 202, Summary: "Run ingestion again; evidence counts once all the same"}, (*Server).replay),
	}
}

// noticeInput is a provider's webhook body: bytes, because the signature covers them as they came.
type noticeInput struct {
	Signature string `header:"X-Request-Network-Signature"`
	RawBody   []byte `contentType:"application/json"`
}

// receive stores a notice before it is answered. Nothing is written for a notice whose
// signature is wrong, and that is known before the body is read as JSON. What is signed and
// cannot be read is kept for a look, and refused once.
func (s *Server) receive(ctx context.Context, c *call, _ *noticeInput) (reply, error) {
	if s.deps.Inbox == nil || s.deps.Webhook == nil {
		return reply{}, errNotConfigured
	}
	header := c.echo.Request().Header
	signatures := header.Values(headerSignature)
	if len(signatures) != 1 || signatures[0] == "" || !s.deps.Webhook.Verify(signatures[0], c.body) {
		return reply{}, errSignature
	}
	d := delivery(header, c.body)
	unreadable := readable(c.body)
	if unreadable != nil {
		d.Quarantine = unreadable.Error()
	} else {
		d.Event, d.RequestID = subject(c.body)
	}
	if err := s.deps.Inbox.Store(ctx, d); err != nil {
		return reply{}, err
	}
	if unreadable != nil {
		return reply{}, errPayload
	}
	return reply{data: Nothing{}}, nil
}

// subject reads what a notice is about, for the list: exact names, because encoding/json would
// take "Event" for "event". What has another shape has no subject here, and ingestion rejects it.
func subject(body []byte) (event, requestID string) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return "", ""
	}
	word := func(names ...string) (s string) {
		for _, n := range names {
			if json.Unmarshal(fields[n], &s) == nil && s != "" {
				break
			}
		}
		return strings.ToValidUTF8(s[:min(len(s), 200)], "")
	}
	return word("event"), word("requestId", "requestID")
}

func delivery(header http.Header, body []byte) Delivery {
	d := Delivery{Source: webhookSource, ID: header.Get(headerDelivery), Body: body, ReceivedAt: time.Now().UTC(), Header: map[string]string{}}
	for _, name := range []string{"Content-Type", headerDelivery, headerRetryCount, headerTest} {
		if v := header.Get(name); v != "" {
			d.Header[name] = v
		}
	}
	if len(d.ID) > 200 || !validText(d.ID) {
		d.ID = ""
	}
	return d
}

type deliveriesInput struct {
	Page
	Status    string `query:"status" enum:"received,done,parked,rejected,quarantined"`
	RequestID string `query:"requestId" maxLength:"200" doc:"The provider's"`
}

func (s *Server) deliveries(ctx context.Context, _ *call, in *deliveriesInput) (reply, error) {
	if s.deps.Inbox == nil {
		return reply{}, errNotConfigured
	}
	f := DeliveryFilter{Status: in.Status, RequestID: in.RequestID}
	before, err := readPositionCursor("deliveries", in.Cursor)
	if err != nil {
		return reply{}, err
	}
	if before > 0 {
		f.Before = strconv.FormatInt(before, 10)
	}
	all, err := s.deps.Inbox.List(ctx, f, in.Limit)
	if err != nil {
		return reply{}, err
	}
	if all == nil {
		all = []StoredDelivery{}
	}
	var meta Meta
	if len(all) == in.Limit {
		last, err := strconv.ParseInt(all[len(all)-1].ID, 10, 64)
		if err != nil {
			return reply{}, err
		}
		meta.NextCursor = positionCursor("deliveries", last)
	}
	return reply{data: all, meta: meta}, nil
}

type replayInput struct {
	Body struct {
		DeliveryID string    `json:"deliveryId,omitempty" maxLength:"200"`
		From       time.Time `json:"from,omitempty"`
		To         time.Time `json:"to,omitempty"`
	}
}

// Replayed says how many notices are put up again.
type Replayed struct {
	Count int `json:"count"`
}

func (s *Server) replay(ctx context.Context, _ *call, in *replayInput) (reply, error) {
	if s.deps.Inbox == nil {
		return reply{}, errNotConfigured
	}
	b := in.Body
	if (b.DeliveryID == "") == b.From.IsZero() {
		return reply{}, fault.ErrValidation.At("deliveryId", "deliveryId, or from and to")
	}
	if b.DeliveryID == "" && !b.To.After(b.From) {
		return reply{}, fault.ErrValidation.At("to", "after from")
	}
	n, err := s.deps.Inbox.Replay(ctx, b.DeliveryID, b.From, b.To)
	if err == nil && n == 0 && b.DeliveryID != "" {
		err = fault.ErrNotFound
	}
	return reply{data: Replayed{Count: n}}, err
}
