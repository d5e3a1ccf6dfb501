package http

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"holdfast/domain/money"
)

type registryOfOne struct{ Registry }

func (registryOfOne) Decimals(a money.Asset) (uint8, bool) { return 18, a == "usdt" }

func TestAmountsAreDressed(t *testing.T) {
	t.Parallel()
	s := &Server{deps: Deps{Registry: registryOfOne{}}}
	in, err := json.Marshal(map[string]any{
		"due":   money.Of("usdt", money.MustUnits("97500000000000000000")),
		"other": money.Of("unknown", money.FromUint64(5)),
		"note":  `{"asset":"usdt","amount":"1"}`,
		"list":  []money.Amount{money.Of("usdt", money.Zero), money.Of("usdt", money.FromUint64(1))},
		"near":  map[string]string{"asset": "usdt"},
	})
	require.NoError(t, err)
	out := s.dress(nil, in)
	assert.JSONEq(t, `{"due":{"asset":"usdt","amount":"97500000000000000000","decimals":18,"display":"97.5"},
		"other":{"asset":"unknown","amount":"5"}, "near":{"asset":"usdt"},
		"note":"{\"asset\":\"usdt\",\"amount\":\"1\"}",
		"list":[{"asset":"usdt","amount":"0","decimals":18,"display":"0"},{"asset":"usdt","amount":"1","decimals":18,"display":"0.000000000000000001"}]}`, string(out))
}

func FuzzDressKeepsJSON(f *testing.F) {
	f.Add(`{"asset":"usdt","amount":"1"}`)
	f.Add(`{"asset":"usdt","amount":"`)
	f.Fuzz(func(t *testing.T, text string) {
		s := &Server{deps: Deps{Registry: registryOfOne{}}}
		in, err := json.Marshal(map[string]any{"t": text, "a": money.Of("usdt", money.FromUint64(7))})
		if err != nil {
			return
		}
		if out := s.dress(nil, in); !json.Valid(out) {
			t.Fatalf("%s became %s", in, out)
		}
		s.dress(nil, []byte(text)) // anything at all must not panic
	})
}
