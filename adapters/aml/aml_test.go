package aml_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/adapters/aml"
	"holdfast/adapters/devchain"
	"holdfast/adapters/evm"
	"holdfast/domain/safety"
)

func screener(sources ...aml.Source) *aml.Screener {
	return aml.New(aml.Options{Sources: sources, MaxScore: 50, Timeout: time.Second})
}

func service(t *testing.T, handler http.HandlerFunc, now func() time.Time) *aml.API {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	a, err := aml.NewAPI(server.URL+"/api/v1/address", "key", 500*time.Millisecond, now)
	require.NoError(t, err)
	return a
}

const clean = "0x01B2f8877f3e8F366eF4D4F48230949123733897"

func TestTheSanctionsOracle(t *testing.T) {
	t.Parallel()
	chain, err := devchain.Start(t.Context(), devchain.Options{Manual: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, chain.Close()) })
	client, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{chain.URL()}, Timeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(client.Close)
	oracle := func(contract string, c aml.Caller) aml.Oracle {
		return aml.Oracle{Chains: func() map[uint64]aml.Caller { return map[uint64]aml.Caller{devchain.ChainID: c} }, Contracts: map[uint64]string{devchain.ChainID: contract}}
	}
	s := screener(oracle(devchain.Sanctions, client))
	payer := devchain.Payer(2)
	assert.Equal(t, safety.Clean, s.Screen(t.Context(), devchain.ChainID, payer).Outcome)
	_, err = chain.SetSanctioned(t.Context(), payer, true)
	require.NoError(t, err)
	v := s.Screen(t.Context(), devchain.ChainID, payer)
	assert.Equal(t, safety.Flagged, v.Outcome)
	assert.Equal(t, 100, v.Score)
	require.Len(t, v.Findings, 1)
	assert.Len(t, v.Findings[0].Raw, 64)
	assert.Equal(t, "sanctions-oracle", v.Source())

	assert.Equal(t, safety.Unanswered, s.Screen(t.Context(), 1, payer).Outcome, "a chain that nobody knows")
	assert.False(t, s.Knows(1))
	assert.Equal(t, safety.Unanswered, s.Screen(t.Context(), devchain.ChainID, "nonsense").Outcome)
	nowhere := screener(oracle("0x00000000000000000000000000000000000A11cE", client))
	assert.Equal(t, safety.Unanswered, nowhere.Screen(t.Context(), devchain.ChainID, clean).Outcome, "no contract there")
	dead, err := evm.New(evm.Options{Chain: devchain.Network(), URLs: []string{"http://127.0.0.1:1"}, Timeout: time.Second})
	require.NoError(t, err)
	t.Cleanup(dead.Close)
	assert.Equal(t, safety.Unanswered, screener(oracle(devchain.Sanctions, dead)).Screen(t.Context(), devchain.ChainID, clean).Outcome)
}

func TestAnAPIThatAnswers(t *testing.T) {
	t.Parallel()
	a := service(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "key", r.Header.Get("X-API-Key"))
		if strings.HasSuffix(r.URL.Path, "bad") {
			_, _ = w.Write([]byte(`{"identifications":[{"category":"sanctions","name":"SANCTIONS: somebody"}]}`))
			return
		}
		_, _ = w.Write([]byte(`{"identifications":[]}`))
	}, nil)
	s := screener(a)
	assert.Equal(t, safety.Clean, s.Screen(t.Context(), 1, clean).Outcome)
	v := s.Screen(t.Context(), 1, "0xbad")
	assert.Equal(t, safety.Flagged, v.Outcome)
	assert.Equal(t, "sanctions: SANCTIONS: somebody", v.Findings[0].Note)
}

func TestAnAPIThatDoesNotIsNeverClean(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"HTML":          func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"another shape": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) },
		"null":          func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"identifications":null}`)) },
		"too long": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"identifications":[]}` + strings.Repeat(" ", 300<<10)))
		},
		"slow": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.com", http.StatusFound)
		},
	} {
		v := screener(service(t, handler, nil)).Screen(t.Context(), 1, clean)
		assert.Equal(t, safety.Unanswered, v.Outcome, name)
	}
	assert.Equal(t, safety.Unanswered, screener().Screen(t.Context(), 1, clean).Outcome, "nobody to ask")
}

func TestTheBreaker(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	now := time.Now()
	a := service(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) <= 5 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(`{"identifications":[]}`))
	}, func() time.Time { return now })
	s := screener(a)
	for range 20 {
		assert.Equal(t, safety.Unanswered, s.Screen(t.Context(), 1, clean).Outcome)
	}
	assert.EqualValues(t, 5, asked.Load())
	now = now.Add(21 * time.Second)
	assert.Equal(t, safety.Clean, s.Screen(t.Context(), 1, clean).Outcome)
}

// TestVectors plays the answers of ../shared/data/aml.json through the client.
func TestVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../shared/data/aml.json")
	if err != nil {
		t.Log("the vectors are not here; nothing to compare with")
		return
	}
	var doc struct {
		SanctionsAPI struct {
			Responses []struct {
				Status int             `json:"status"`
				Body   json.RawMessage `json:"body"`
			} `json:"responses"`
			DemoAddresses struct{ Sanctioned, Clean []string } `json:"demoAddresses"`
		} `json:"sanctionsApi"`
		SanctionsOracle struct {
			Addresses struct {
				Default       string
				DefaultChains []uint64
				Base          struct {
					ChainID uint64
					Address string
				}
			}
		} `json:"sanctionsOracle"`
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	require.NotEmpty(t, doc.SanctionsAPI.Responses)
	for _, r := range doc.SanctionsAPI.Responses {
		want := safety.Unanswered
		if r.Status == 200 && strings.Contains(string(r.Body), "category") {
			want = safety.Flagged
		} else if r.Status == 200 {
			want = safety.Clean
		}
		a := service(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(r.Status); _, _ = w.Write(r.Body) }, nil)
		assert.Equal(t, want, screener(a).Screen(t.Context(), 1, doc.SanctionsAPI.DemoAddresses.Clean[0]).Outcome, fmt.Sprint(r.Status, string(r.Body)))
	}
	known := aml.KnownOracles()
	for _, chain := range doc.SanctionsOracle.Addresses.DefaultChains {
		assert.Equal(t, doc.SanctionsOracle.Addresses.Default, known[chain])
	}
	assert.Equal(t, doc.SanctionsOracle.Addresses.Base.Address, known[doc.SanctionsOracle.Addresses.Base.ChainID])
}
