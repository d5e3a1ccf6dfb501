package ingestion

import "holdfast/domain"

// Record notes a report and, when it is known, its end, all in one append.
type Record struct {
	domain.Issue
	Report Receive
	Match  *Match
	Park   *Park
}

// Answer says how far the report has come.
type Answer struct {
	Phase string `json:"phase"`
}

// Run decides.
func (f Record) Run(u *domain.Unit) (any, error) {
	f.Report.Issue = f.Issue
	steps := []domain.Command{f.Report}
	if f.Match != nil {
		f.Match.Issue = f.Issue
		steps = append(steps, *f.Match)
	}
	if f.Park != nil {
		f.Park.Issue = f.Issue
		steps = append(steps, *f.Park)
	}
	for _, c := range steps {
		if _, err := domain.Do(u, Decider, f.Report.SHA256, c); err != nil {
			return nil, err
		}
	}
	s, err := domain.StateOf(u, Decider, f.Report.SHA256)
	return Answer{Phase: s.Phase}, err
}
