package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/adapters/devchain"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain/money"
)

// Reconciliation is the story of money nobody expected: tokens sent to our treasury past
// everything. The nightly comparison finds them, says what they probably are, and two admins book
// them where their owner can be looked for.
func (s *Stage) Reconciliation(ctx context.Context) error {
	s.chapter("Money that nobody has booked")
	if err := s.do(ctx, "Somebody sends 3 USDC straight to the treasury", func() (string, error) {
		sent, err := s.wallet.Transfer(ctx, 2, devchain.USDC, devchain.Treasury, money.FromUint64(3_000_000))
		return "transaction " + sent.Tx, err
	}); err != nil {
		return err
	}
	if err := s.do(ctx, "A reconciliation compares ledger, chain and provider", func() (string, error) { return s.reconciled(ctx) }); err != nil {
		return err
	}
	id := ""
	if err := s.do(ctx, "It lists the difference, and says what to do", func() (string, error) {
		a, err := s.admin.Call(ctx, apiclient.GET, "/api/admin/reconciliation/breaks?state=Open&kind=custody_over", nil)
		if err != nil {
			return "", err
		}
		var breaks []struct{ ID, Ledger, Chain, Probably, Do string }
		if err := a.Into(&breaks); err != nil || len(breaks) == 0 {
			return "", errors.Join(err, errors.New("the difference was not found"))
		}
		id = breaks[0].ID
		return fmt.Sprintf("ledger %s, chain %s. %s %s", breaks[0].Ledger, breaks[0].Chain, breaks[0].Probably, breaks[0].Do), nil
	}); err != nil {
		return err
	}
	for _, a := range []struct {
		what  string
		admin *apiclient.Client
	}{{"An admin wants to book it as found: a second one is needed", s.admin}, {"The second agrees: it goes to suspense", s.admin2}} {
		if err := s.do(ctx, a.what, func() (string, error) {
			_, err := post(ctx, a.admin, "/api/admin/reconciliation/breaks/"+id+"/resolve", map[string]string{"way": "book_found", "reason": "sent to the treasury by mistake; owner unknown"})
			return "", err
		}); err != nil {
			return err
		}
	}
	return s.do(ctx, "The next reconciliation closes the break: the difference is gone", func() (string, error) {
		if _, err := s.reconciled(ctx); err != nil {
			return "", err
		}
		a, err := s.admin.Call(ctx, apiclient.GET, "/api/admin/reconciliation/breaks/"+id, nil)
		return "the break is " + a.Get("state"), err
	})
}

// reconciled asks for a run and waits until it has ended.
func (s *Stage) reconciled(ctx context.Context) (string, error) {
	var id string
	for deadline := time.Now().Add(patience); ; time.Sleep(300 * time.Millisecond) {
		a, err := post(ctx, s.admin, "/api/admin/reconciliation/runs", nil)
		if err == nil {
			id = a.Get("id")
			break
		}
		if refusal, ok := errors.AsType[*apiclient.Error](err); !ok || refusal.Code != "RECONCILIATION_RUNNING" || time.Now().After(deadline) {
			return "", err
		}
	}
	a, err := s.awaitNew(ctx, "/api/admin/reconciliation/runs/"+id)
	return fmt.Sprintf("%s payments, %s differences", a.Get("result.counts.payments"), a.Get("result.counts.breaks")), err
}

// awaitNew waits for a run that the view may not show yet.
func (s *Stage) awaitNew(ctx context.Context, path string) (apiclient.Answer, error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(300 * time.Millisecond) {
		a, err := s.admin.Call(ctx, apiclient.GET, path, nil)
		refusal, ok := errors.AsType[*apiclient.Error](err)
		switch {
		case err == nil && a.Get("state") == "Completed":
			return a, nil
		case err != nil && (!ok || refusal.Status != 404 && refusal.Status < 500):
			return a, err
		case time.Now().After(deadline):
			return a, fmt.Errorf("%s did not end", path)
		}
	}
}
