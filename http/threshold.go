package http

import (
	"context"
	"encoding/json"
	"strconv"

	"holdfast/domain"
	"holdfast/domain/breakglass"
	"holdfast/domain/fault"
	"holdfast/domain/network"
	"holdfast/domain/threshold"
	"holdfast/eventstore"
	"holdfast/projections/thresholdview"
)

const thresholdsPath = "/api/admin/settings/confirmation-thresholds"

func thresholdRoutes() []Route {
	query := func(rest, summary string, names map[string]string) Route {
		return Route{Method: "GET", Path: thresholdsPath + rest, Names: names, Roles: admin, Class: Query, Rate: RateGeneral, Summary: summary}
	}
	command := func(method, summary string) Route {
		return Route{
			Method: method, Path: thresholdsPath + "/{chainId}", Names: chainNames, Roles: admin, Class: Command, Rate: RateGeneral, Summary: summary,
			Errors: []string{"INVALID_THRESHOLD", "OUT_OF_RANGE", "BELOW_FLOOR", "APPROVAL_REQUIRED", "SELF_APPROVAL"},
		}
	}
	history := query("/history", "Every change of every rule, or of one chain's", nil)
	history.Views = []string{thresholdview.Name}
	const change = "Set the rule for payments opened from now on; less than before takes two admins"
	return []Route{
		on[struct{}, []ThresholdOut](query("", "How deep a transfer must stand, chain by chain", nil), (*Server).listThresholds),
		on[thresholdHistoryInput, []ThresholdChange](history, (*Server).thresholdHistory),
		on[chainInput, ThresholdOut](query("/{chainId}", "One chain's rule", chainNames), (*Server).getThreshold),
		on[thresholdInput, threshold.Answer](command("PUT", change), (*Server).setThreshold),
		on[thresholdInput, threshold.Answer](command("PATCH", change), (*Server).setThreshold),
		on[resetThresholdInput, threshold.Answer](command("DELETE", "Go back to the registry's own rule"), (*Server).resetThreshold),
	}
}

// ThresholdOut is a chain's rule.
type ThresholdOut struct {
	ChainID uint64         `json:"chainId"`
	Name    string         `json:"name"`
	State   string         `json:"state" enum:"Default,Set,Lowered" doc:"Lowered applies as long as the glass is broken"`
	Rule    threshold.Rule `json:"rule" doc:"What applies to payments that are opened now"`
	Default threshold.Rule `json:"default" doc:"The registry's own rule"`
	Floor   uint64         `json:"floor" doc:"Blocks; from the configuration, nobody can go under it"`
}

func (s *Server) thresholdOut(ctx context.Context, c network.Chain, session string) (ThresholdOut, int64, error) {
	state, version, err := eventstore.FreshState(ctx, s.deps.Executor, threshold.Decider, threshold.ID(c.ID))
	return ThresholdOut{
		ChainID: c.ID, Name: c.Name, State: state.Phase(), Rule: state.InForce(c.Confirmations, session), Default: threshold.DefaultRule(c.Confirmations), Floor: c.Confirmations.Floor,
	}, version, err
}

// brokenGlass is the running session, empty for none.
func (s *Server) brokenGlass(ctx context.Context, c *call) (string, error) {
	g, _, err := eventstore.FreshState(ctx, s.deps.Executor, breakglass.Decider, breakglass.Stream)
	return g.Active(c.issue().At), err
}

func (s *Server) listThresholds(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	book, _, err := s.registryInForce()
	if err != nil {
		return reply{}, err
	}
	session, err := s.brokenGlass(ctx, c)
	if err != nil {
		return reply{}, err
	}
	all := []ThresholdOut{}
	for _, chain := range book.Chains() {
		out, _, err := s.thresholdOut(ctx, chain, session)
		if err != nil {
			return reply{}, err
		}
		all = append(all, out)
	}
	return reply{data: all}, nil
}

func (s *Server) getThreshold(ctx context.Context, c *call, in *chainInput) (reply, error) {
	chain, err := s.listed(in.ChainID)
	if err != nil {
		return reply{}, err
	}
	session, err := s.brokenGlass(ctx, c)
	if err != nil {
		return reply{}, err
	}
	out, version, err := s.thresholdOut(ctx, chain, session)
	return reply{data: out, version: version}, err
}

// ThresholdChange is one change of a rule.
type ThresholdChange struct {
	ChainID string `json:"chainId"`
	thresholdview.Change
}

type thresholdHistoryInput struct {
	ChainID uint64 `query:"chainId" maximum:"9007199254740991"`
}

func (s *Server) thresholdHistory(ctx context.Context, _ *call, in *thresholdHistoryInput) (reply, error) {
	v, err := s.views()
	if err != nil {
		return reply{}, err
	}
	rows, err := v.Thresholds.All(ctx)
	all := []ThresholdChange{}
	for _, row := range rows {
		if in.ChainID != 0 && row.ID != threshold.ID(in.ChainID) {
			continue
		}
		for _, change := range row.Doc.History {
			all = append(all, ThresholdChange{ChainID: row.ID, Change: change})
		}
	}
	return reply{data: all}, err
}

// TierIn asks for more from an amount on.
type TierIn struct {
	From int64 `json:"from" doc:"Whole tokens"`
	Min  int64 `json:"min" doc:"Blocks"`
}

type thresholdInput struct {
	ChainID uint64 `path:"chainId"`
	Body    struct {
		Kind   threshold.Kind `json:"kind,omitempty" enum:"depth,safe,finalized" doc:"What counts beside the depth; left out = as before"`
		Min    int64          `json:"min" doc:"Blocks, 1 … 100000, and not below the floor"`
		Tiers  []TierIn       `json:"amountTiers,omitempty" doc:"More for larger amounts, in rising order"`
		Reason string         `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) setThreshold(ctx context.Context, c *call, in *thresholdInput) (reply, error) {
	chain, err := s.listed(in.ChainID)
	if err != nil || chain.Family != network.EVM {
		if f, ok := fault.From(err); ok && f.Kind != fault.NotFound {
			return reply{}, err
		}
		return reply{}, threshold.ErrInvalid.Because("there is no such chain, or nobody counts its blocks").With("chain", in.ChainID)
	}
	state, _, err := eventstore.FreshState(ctx, s.deps.Executor, threshold.Decider, threshold.ID(in.ChainID))
	if err != nil {
		return reply{}, err
	}
	before := state.InForce(chain.Confirmations, "")
	rule := threshold.Rule{Kind: in.Body.Kind, Min: in.Body.Min}
	if rule.Kind == "" {
		rule.Kind = before.Kind
	}
	for _, t := range in.Body.Tiers {
		rule.Tiers = append(rule.Tiers, threshold.Tier(t))
	}
	if err := rule.Check(chain.Confirmations.Floor); err != nil {
		return reply{}, err
	}
	change := threshold.Change{Issue: c.issue(), Chain: in.ChainID, Rule: rule, Default: chain.Confirmations, Reason: in.Body.Reason}
	if rule.WeakerThan(before) {
		session, err := s.brokenGlass(ctx, c)
		if err != nil {
			return reply{}, err
		}
		if session != "" {
			return s.lowerThreshold(ctx, c, threshold.Lower{Issue: change.Issue, Chain: in.ChainID, Rule: rule, Default: chain.Confirmations, Reason: in.Body.Reason})
		}
		first, waiting, err := s.agreedRule(ctx, c, in.ChainID, &rule)
		if err != nil || first == "" {
			return waiting, err
		}
		change.Approver = domain.User(first, domain.Admin)
	}
	return s.run(ctx, c, of(threshold.Decider, threshold.ID(in.ChainID)), threshold.ChangeRule{Change: change})
}

// lowerThreshold is what an admin may do alone as long as the glass is broken.
func (s *Server) lowerThreshold(ctx context.Context, c *call, f threshold.Lower) (reply, error) {
	answer, err := s.run(ctx, c, of(threshold.Decider, threshold.ID(f.Chain)), threshold.LowerRule{Lower: f})
	if err == nil {
		s.log.ErrorContext(ctx, "break-glass used: a confirmation threshold is lowered", "chain", f.Chain, "min", f.Rule.Min, "by", c.user(), "reason", f.Reason)
	}
	return answer, err
}

// agreedRule finds the other admin who asked for the same rule; nil is the registry's own.
func (s *Server) agreedRule(ctx context.Context, c *call, chain uint64, rule *threshold.Rule) (domain.UserID, reply, error) {
	raw, err := json.Marshal(rule)
	if err != nil {
		return "", reply{}, err
	}
	return s.second(ctx, c, "threshold", strconv.FormatUint(chain, 10), string(raw))
}

type resetThresholdInput struct {
	ChainID uint64 `path:"chainId"`
	Body    struct {
		Reason string `json:"reason" minLength:"3" maxLength:"500"`
	}
}

func (s *Server) resetThreshold(ctx context.Context, c *call, in *resetThresholdInput) (reply, error) {
	chain, err := s.listed(in.ChainID)
	if err != nil {
		return reply{}, err
	}
	state, _, err := eventstore.FreshState(ctx, s.deps.Executor, threshold.Decider, threshold.ID(in.ChainID))
	if err != nil {
		return reply{}, err
	}
	f := threshold.Restore{ResetRule: threshold.ResetRule{Issue: c.issue(), Chain: in.ChainID, Default: chain.Confirmations, Reason: in.Body.Reason}}
	if threshold.DefaultRule(chain.Confirmations).WeakerThan(state.InForce(chain.Confirmations, "")) {
		first, waiting, err := s.agreedRule(ctx, c, in.ChainID, nil)
		if err != nil || first == "" {
			return waiting, err
		}
		f.Approver = domain.User(first, domain.Admin)
	}
	return s.run(ctx, c, of(threshold.Decider, threshold.ID(in.ChainID)), f)
}
