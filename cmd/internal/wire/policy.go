package wire

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/big"
	"time"

	"holdfast/cmd/internal/config"
	"holdfast/domain"
	"holdfast/domain/dispute"
	"holdfast/domain/escrow"
	"holdfast/domain/money"
	apihttp "holdfast/http"
)

// policy gives the settings that are copied into an order when it begins.
type policy struct {
	config *config.Config
	limit  money.Units
}

func newPolicy(c *config.Config) (policy, error) {
	p := policy{config: c}
	if c.ApprovalLimit == "" {
		return p, nil
	}
	var err error
	if p.limit, err = money.ParseUnits(c.ApprovalLimit); err != nil {
		return p, fmt.Errorf("RELEASE_APPROVAL_LIMIT: found %q, allowed: base units", c.ApprovalLimit)
	}
	return p, nil
}

// Terms are the same for every asset; what is per chain stands in the registry.
func (p policy) Terms(asset money.Asset) apihttp.Terms {
	d := dispute.StandardTerms()
	d.AppealWindow = p.config.AppealWindow
	d.Fee = money.Of(asset, money.Zero)
	return apihttp.Terms{
		Escrow: escrow.Terms{
			FeeBPS: money.BPS(p.config.FeeBPS), Inspection: p.config.Inspection, DisputeWindow: p.config.DisputeWindow, ApprovalLimit: p.limit,
			ReserveBPS: money.BPS(p.config.ReserveBPS), ReserveFor: time.Duration(p.config.ReserveDays) * 24 * time.Hour,
		},
		Dispute:         d,
		PaymentExpiry:   p.config.PaymentExpiry,
		WalletCooling:   p.config.WalletCooling,
		PayoutApprovals: p.config.PayoutApprovals,
		CodeLife:        7 * 24 * time.Hour,
		Safety:          safetyPolicy(p.config),
	}
}

// codes makes delivery codes of eight digits; the log sees only their MAC.
type codes struct{ key []byte }

// newCodes derives its key from a secret that does not rotate: codes outlive a rotation of the
// token secret.
func newCodes(secret string) codes {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte("holdfast delivery codes"))
	return codes{key: m.Sum(nil)}
}

func (c codes) New(request domain.RequestID) (code string, mac []byte, err error) {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		return "", nil, fmt.Errorf("draw a delivery code: %w", err)
	}
	code = fmt.Sprintf("%08d", n)
	return code, c.MAC(request, code), nil
}

func (c codes) MAC(request domain.RequestID, code string) []byte {
	m := hmac.New(sha256.New, c.key)
	m.Write([]byte(string(request) + "\x00" + code))
	return m.Sum(nil)
}
