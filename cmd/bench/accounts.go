package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"holdfast/adapters/records"
	"holdfast/cmd/internal/apiclient"
)

const (
	loginRate    = 200 // a second
	loginClients = 400 // more than the queue holds, so that its end is seen too
	timingRounds = 60  // sign-ins of each kind
)

// accounts measures what knowing who calls costs, what a wave of sign-ins does to everybody else,
// and whether the clock tells who exists.
func (b *bench) accounts(ctx context.Context) error {
	f, err := b.made(ctx)
	if err != nil {
		return err
	}
	if err := b.settle(ctx); err != nil {
		return err
	}
	fmt.Println("\naccounts")
	if err := b.authenticated(ctx, f.token); err != nil {
		return err
	}
	if err := b.loginWave(ctx); err != nil {
		return err
	}
	return b.timing(ctx)
}

// authenticated compares one read with and without a token, in turns.
func (b *bench) authenticated(ctx context.Context, token string) error {
	get := func(token string) func(_, _ int, buf *bytes.Buffer) {
		return func(_, _ int, buf *bytes.Buffer) {
			buf.WriteString("GET /api/payment/health HTTP/1.1\r\nHost: bench\r\n" + token + "\r\n")
		}
	}
	var with, without []time.Duration
	for range 4 {
		for _, side := range []struct {
			all   *[]time.Duration
			token string
		}{{&without, ""}, {&with, "Authorization: Bearer " + token + "\r\n"}} {
			l, err := hammer(ctx, b.service.addr, otherClients, b.length/4, get(side.token))
			if err != nil {
				return err
			}
			*side.all = append(*side.all, l.latencies...)
		}
	}
	slow, fast := median(with), median(without)
	fmt.Printf("  %-34s %s with a token, %s without, %+.0f %%   (wanted: at most +25 %%)\n", "a read (GET /api/payment/health)",
		µs(slow), µs(fast), 100*(float64(slow)/float64(fast)-1))
	return nil
}

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func µs(d time.Duration) string {
	return fmt.Sprintf("%.0f µs", float64(d)/float64(time.Microsecond))
}

// loginWave sends more sign-ins than can be hashed, beside another route.
func (b *bench) loginWave(ctx context.Context) error {
	read := b.fixture.read()
	d := b.length
	quiet, err := hammer(ctx, b.service.addr, otherClients, d, read)
	if err != nil {
		return fmt.Errorf("the other route, alone: %w", err)
	}
	before, err := b.service.peakMemory()
	if err != nil {
		return err
	}
	var wave, beside load
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		wave, err = hammer(inner, b.service.addr, loginClients, d, pacedLogins())
		return err
	})
	group.Go(func() (err error) {
		beside, err = hammer(inner, b.service.addr, otherClients, d, read)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	after, err := b.service.peakMemory()
	if err != nil {
		return err
	}
	hashes, err := b.service.hashesMemory()
	if err != nil {
		return err
	}
	fmt.Printf("  %-34s %.0f per s signed in, p50 %s, p99 %s; %d turned away %.60s\n", fmt.Sprintf("%d sign-ins a second", loginRate),
		wave.rate(), ms(wave.quantile(0.5)), ms(wave.quantile(0.99)), wave.refused, wave.firstBad)
	fmt.Printf("  %-34s peak %.0f MiB, %.0f before the wave, and %.0f MiB in the process of the hashes   (wanted: bounded)\n", "memory", after, before, hashes)
	fmt.Printf("  %-34s p99 %s alone, %s beside the wave, %.2f×   (wanted: at most doubled)\n", "another route (GET /api/payment)",
		ms(quiet.quantile(0.99)), ms(beside.quantile(0.99)), float64(beside.quantile(0.99))/float64(max(quiet.quantile(0.99), 1)))
	return nil
}

// pacedLogins keeps to the rate; the turns are dealt by one counter.
func pacedLogins() func(client, i int, buf *bytes.Buffer) {
	var turns atomic.Int64
	begin := time.Now()
	return func(_, _ int, buf *bytes.Buffer) {
		time.Sleep(time.Until(begin.Add(time.Duration(turns.Add(1)-1) * time.Second / loginRate)))
		body := fmt.Sprintf(`{"email":"buyer2@holdfast.test","password":%q}`, records.DemoPassword)
		fmt.Fprintf(buf, "POST /api/auth/login HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
}

// timing asks in turns for a person who exists and for one who does not, and compares the medians.
func (b *bench) timing(ctx context.Context) error {
	for _, route := range []struct {
		name, path string
		body       map[string]string
	}{
		{"a wrong password", "login", map[string]string{"password": "not the password"}},
		{"a forgotten password", "forgot-password", nil},
	} {
		var known, unknown []time.Duration
		for i := range timingRounds {
			// Another person each time: none is locked by the fifth failure. Who is first changes: a
			// hash that follows one may pay for collecting its memory.
			sides := []struct {
				all   *[]time.Duration
				email string
			}{{&known, records.Seeded()[i%len(records.Seeded())].Email}, {&unknown, fmt.Sprintf("nobody%d@holdfast.test", i)}}
			if i%2 == 1 {
				slices.Reverse(sides)
			}
			for _, side := range sides {
				if i%(4*len(records.Seeded())) == 0 {
					if err := b.unlock(ctx); err != nil {
						return err
					}
				}
				body := map[string]string{"email": side.email}
				for k, v := range route.body {
					body[k] = v
				}
				took, status, err := b.post(ctx, "/api/auth/"+route.path, body)
				if err != nil {
					return err
				}
				if status == 503 {
					fmt.Printf("  %-34s not measured: no mail is configured\n", route.name)
					known = nil
					break
				}
				*side.all = append(*side.all, took)
			}
			if known == nil {
				break
			}
		}
		if known == nil {
			continue
		}
		a, z := median(known), median(unknown)
		fmt.Printf("  %-34s median %s for somebody, %s for nobody, %+.1f %%   (wanted: within 10 %%)\n", route.name, ms(a), ms(z), 100*(float64(a)/float64(z)-1))
	}
	return nil
}

// unlock signs everybody in once, which forgets their failures.
func (b *bench) unlock(ctx context.Context) error {
	for _, u := range records.Seeded() {
		if _, err := apiclient.New("http://"+b.service.addr).Login(ctx, u.Email, records.DemoPassword); err != nil {
			return err
		}
	}
	return nil
}

// post asks without a user, and gives how long the answer took and its status.
func (b *bench) post(ctx context.Context, path string, body any) (time.Duration, int, error) {
	client := apiclient.New("http://" + b.service.addr)
	begin := time.Now()
	a, err := client.Call(ctx, apiclient.POST, path, body)
	took := time.Since(begin)
	if refused, ok := errors.AsType[*apiclient.Error](err); ok {
		return took, refused.Status, nil
	}
	return took, a.Status, err
}
