package rndouble

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"holdfast/domain/money"
	"holdfast/domain/network"
)

func (d *Double) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v2/request", d.create)
	mux.HandleFunc("GET /v2/request/{id}", d.get)
	mux.HandleFunc("GET /v2/request/{id}/pay", d.pay)
	mux.HandleFunc("GET /v2/payments", d.payments)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.o.APIKey != "" && r.Header.Get("X-Api-Key") != d.o.APIKey {
			refuse(w, http.StatusUnauthorized, "Unauthorized")
			return
		}
		d.count(r)
		if d.trouble(w, r) {
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (d *Double) create(w http.ResponseWriter, r *http.Request) {
	var in struct{ Payee, Amount, InvoiceCurrency, PaymentCurrency, Reference string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "Validation failed")
		return
	}
	asset, ok := d.registry.Asset(in.PaymentCurrency)
	if !ok {
		refuse(w, http.StatusNotFound, "Token not found")
		return
	}
	decimals, _ := d.registry.Decimals(asset)
	due, err := money.ParseDecimal(in.Amount, decimals)
	if err != nil || due.IsZero() || network.CheckAddress(in.Payee) != nil || len(in.Reference) > 255 {
		write(w, http.StatusBadRequest, map[string]any{"statusCode": 400, "error": "Bad Request", "message": []any{
			map[string]any{"code": "custom", "message": "amount, payee or reference is not valid", "path": []string{"amount"}},
		}})
		return
	}
	req := newRequest(in.Payee)
	req.Asset, req.Currency, req.Due, req.Decimals, req.Ours = asset, in.PaymentCurrency, due, decimals, in.Reference
	if err := d.keep(req); err != nil {
		d.o.Log.Error("keep a request", "error", err)
		refuse(w, http.StatusInternalServerError, "Internal server error")
		return
	}
	if d.lost() {
		panic(http.ErrAbortHandler) // the connection breaks, and nobody knows what was done
	}
	write(w, http.StatusCreated, map[string]string{"paymentReference": req.Reference, "requestId": req.ID})
}

func (d *Double) keep(r *request) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, r)
	return d.save()
}

func (d *Double) get(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	req := d.find(r.PathValue("id"))
	if req == nil {
		refuse(w, http.StatusNotFound, "Request not found")
		return
	}
	var tx *string
	if n := len(req.Payments); n > 0 {
		tx = &req.Payments[n-1].Tx
	}
	write(w, http.StatusOK, map[string]any{
		"requestId": req.ID, "paymentReference": req.Reference, "hasBeenPaid": req.settled(), "isListening": !req.settled(),
		"txHash": tx, "reference": req.Ours, "status": req.status(), "customerInfo": nil, "isCryptoToFiatAvailable": false,
		"amountInUsd": nil, "conversionRate": nil, "rateSource": "unknown", "fees": []any{},
	})
}

// find looks a request up; the caller holds the lock.
func (d *Double) find(id string) *request {
	for _, r := range d.requests {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func (d *Double) payments(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	d.mu.Lock()
	defer d.mu.Unlock()
	found := []map[string]any{}
	for _, req := range d.requests {
		for _, p := range req.Payments {
			if differs(q.Get("requestId"), req.ID) || differs(q.Get("paymentReference"), req.Reference) ||
				differs(q.Get("reference"), req.Ours) || differs(q.Get("txHash"), p.Tx) || outside(q, p.At) {
				continue
			}
			found = append(found, map[string]any{
				"id": p.ID, "amount": p.Amount.String(), "sourceNetwork": d.o.Chain.Name, "destinationNetwork": d.o.Chain.Name,
				"sourceTxHash": p.Tx, "destinationTxHash": nil, "timestamp": p.At.Format(time.RFC3339), "type": "direct",
				"currency": req.Currency, "paymentCurrency": req.Currency, "fees": []any{}, "recurringPaymentId": nil, "rateProvider": nil,
				"conversionRateSource": nil, "conversionRateDestination": nil, "convertedAmountSource": nil, "convertedAmountDestination": nil,
				"request": map[string]any{"requestId": req.ID, "paymentReference": req.Reference, "hasBeenPaid": req.settled(), "reference": req.Ours, "customerInfo": nil},
			})
		}
	}
	limit, offset := number(q.Get("limit"), 20), number(q.Get("offset"), 0)
	from := min(offset, len(found))
	to := min(from+limit, len(found))
	write(w, http.StatusOK, map[string]any{
		"payments":   found[from:to],
		"pagination": map[string]any{"total": len(found), "limit": limit, "offset": offset, "hasMore": to < len(found)},
	})
}

// outside reports whether a time is not in the dates that are asked for.
func outside(q url.Values, at time.Time) bool {
	from, err := time.Parse(time.RFC3339, q.Get("fromDate"))
	if err == nil && at.Before(from) {
		return true
	}
	to, err := time.Parse(time.RFC3339, q.Get("toDate"))
	return err == nil && at.After(to)
}

func differs(asked, is string) bool { return asked != "" && asked != is }

func number(s string, otherwise int) int {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		return n
	}
	return otherwise
}

func refuse(w http.ResponseWriter, status int, message string) {
	write(w, status, map[string]any{"statusCode": status, "message": message, "error": http.StatusText(status)})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may be gone
}
