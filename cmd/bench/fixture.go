package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"holdfast/adapters/devchain"
	"holdfast/adapters/records"
	"holdfast/cmd/internal/apiclient"
	"holdfast/domain"
	"holdfast/domain/escrow"
	"holdfast/domain/funding"
	"holdfast/domain/ledger"
	"holdfast/domain/money"
	"holdfast/domain/network"
	"holdfast/domain/payment"
	"holdfast/eventstore"
)

// fixture is a set of funded, releasable holds with so much in them that no load empties one.
type fixture struct {
	random []string // payments of many sellers
	hot    []string // payments of one seller
	token  string
}

const (
	holdsEach = 5000
	perHold   = 1_000_000_000_000
)

// made makes the fixture once.
func (b *bench) made(ctx context.Context) (*fixture, error) {
	if b.fixture != nil {
		return b.fixture, nil
	}
	f, err := newFixture(ctx, b)
	if err != nil {
		return nil, fmt.Errorf("fixture: %w", err)
	}
	b.fixture = f
	return f, nil
}

func newFixture(ctx context.Context, b *bench) (f *fixture, err error) {
	f = &fixture{}
	if f.token, err = b.signIn(ctx); err != nil {
		return nil, err
	}
	if err := endow(ctx, b.core.Executor); err != nil {
		return nil, err
	}
	one := domain.UserID(uuid.NewString())
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32) // the group commit likes company
	for i := range 2 * holdsEach {
		group.Go(func() error {
			seller, list := one, &f.hot
			if i%2 == 0 {
				seller, list = domain.UserID(uuid.NewString()), &f.random
			}
			id, err := releasable(ctx, b.core.Executor, seller)
			mu.Lock()
			defer mu.Unlock()
			*list = append(*list, id)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return f, nil
}

// signIn gives the token of the buyer.
func (b *bench) signIn(ctx context.Context) (string, error) {
	buyer, err := apiclient.New("http://"+b.service.addr).Login(ctx, "buyer@holdfast.test", records.DemoPassword)
	if err != nil {
		return "", err
	}
	return buyer.Token(), nil
}

// endow puts platform money behind the holds; without it the breaker rightly stops them.
func endow(ctx context.Context, x *eventstore.Executor) error {
	machine := domain.Machine(domain.Process, "bench")
	asset := network.TokenAsset(devchain.ChainID, devchain.USDC)
	flow := funding.ContributeCapital{
		Entry: funding.Entry{
			Issue: domain.Issue{By: machine, At: time.Now().UTC()}, Ref: uuid.NewString(), Reason: "bench",
			Amount: money.Of(asset, money.FromUint64(2*holdsEach*perHold)),
		},
		Custody: ledger.Treasury,
	}
	_, err := x.Execute(ctx, eventstore.Metadata{Actor: machine, CommandID: uuid.NewString(), Source: "job"}, nil, flow.Run)
	return err
}

// releasable makes one hold with a million tokens to release, and gives its payment.
func releasable(ctx context.Context, x *eventstore.Executor, seller domain.UserID) (string, error) {
	issue := domain.Issue{By: domain.Machine(domain.Process, "bench"), At: time.Now().UTC()}
	hold, pay := domain.HoldID(uuid.NewString()), domain.PaymentID(uuid.NewString())
	due := money.Of(network.TokenAsset(devchain.ChainID, devchain.USDC), money.FromUint64(perHold))
	request, offer := domain.RequestID(uuid.NewString()), domain.OfferID(uuid.NewString())
	meta := eventstore.Metadata{Actor: issue.By, CommandID: uuid.NewString(), Source: "job"}
	_, err := x.Execute(ctx, meta, nil, func(u *domain.Unit) (any, error) {
		for _, c := range []domain.Command{
			escrow.Open{Issue: issue, Hold: hold, Request: request, Offer: offer, Buyer: records.Buyer1, Seller: seller, Due: due, Terms: escrow.Terms{FeeBPS: 250}},
			escrow.FundDiscount{Issue: issue, Amount: due, Redemption: "bench"},
			escrow.MarkReleasable{Issue: issue, Cause: "bench"},
		} {
			if _, err := domain.Do(u, escrow.Decider, string(hold), c); err != nil {
				return nil, err
			}
		}
		_, err := domain.Do(u, payment.Decider, string(pay), payment.Initiate{
			Issue: issue, Payment: pay, Request: request, Offer: offer, Hold: hold, Buyer: records.Buyer1, Seller: seller, Due: due,
			Threshold: payment.Threshold{Need: 1, Floor: 1}, ExpiresAt: issue.At.Add(time.Hour),
		})
		return struct{}{}, err
	})
	return string(pay), err
}

// warm asks each hold once what a release would do, so that the service has read every stream.
func (f *fixture) warm(ctx context.Context, addr string) error {
	const body = `{"amount":{"amount":"100"},"dryRun":true}`
	all := slices.Concat(f.random, f.hot)
	const clients = 16
	done := make(chan error, clients)
	for c := range clients {
		go func() {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
			if err != nil {
				done <- err
				return
			}
			defer conn.Close()
			r := bufio.NewReaderSize(conn, 16<<10)
			for i := c; i < len(all) && err == nil; i += clients {
				_, err = fmt.Fprintf(conn, "POST /api/payment/%s/release HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s",
					all[i], f.token, uuid.NewString(), len(body), body)
				if err != nil {
					break
				}
				var status int
				var answer []byte
				if status, answer, err = readResponse(r); err == nil && status != 200 {
					err = fmt.Errorf("a dry run was answered with %d %s", status, answer)
				}
			}
			done <- err
		}()
	}
	var problems []error
	for range clients {
		problems = append(problems, <-done)
	}
	return errors.Join(problems...)
}

// release writes a release of 0.0001 tokens of a random hold of the list.
func (f *fixture) release(payments []string) func(client, i int, b *bytes.Buffer) {
	const body = `{"amount":{"amount":"100"}}`
	run := uuid.NewString()
	return func(client, i int, b *bytes.Buffer) {
		fmt.Fprintf(b, "POST /api/payment/%s/release HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nIdempotency-Key: %s-%d-%d\r\nContent-Length: ",
			payments[rand.IntN(len(payments))], f.token, run, client, i)
		b.WriteString(strconv.Itoa(len(body)))
		b.WriteString("\r\n\r\n")
		b.WriteString(body)
	}
}
