package http

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"holdfast/domain"
	"holdfast/domain/fault"
	"holdfast/domain/request"
	"holdfast/eventstore"
)

const addressPath = "/api/address"

var errAddressInUse = fault.New(fault.Conflict, "ADDRESS_IN_USE", "an order that is under way is to be sent to this address")

func addressRoutes() []Route {
	route := func(method, rest, summary string, class Class, errors ...string) Route {
		return Route{Method: method, Path: addressPath + rest, Roles: Any, Class: class, Rate: RateGeneral, Summary: summary, Errors: errors}
	}
	return slices.Concat(
		[]Route{
			on[struct{}, []AddressOut](route("GET", "", "One's own addresses, the default one first", Query), (*Server).listAddresses),
			on[addAddressInput, AddressOut](status(201, route("POST", "", "Keep an address; the first one is the default", PlainWrite, "ADDRESS_LIMIT")), (*Server).addAddress),
			on[addressInput, AddressOut](route("GET", "/{id}", "One address", Query), (*Server).getAddress),
			on[addressInput, AddressOut](route("PATCH", "/{id}/default", "Make it the default", PlainWrite), (*Server).defaultAddress),
			on[addressInput, Nothing](route("DELETE", "/{id}", "Forget it; orders keep what they were told", PlainWrite, "ADDRESS_IN_USE"), (*Server).removeAddress),
		},
		bothVerbs(func(method string) Route {
			return on[changeAddressInput, AddressOut](route(method, "/{id}", "Change it; what is left out stays, and so do orders", PlainWrite), (*Server).changeAddress)
		}),
	)
}

// AddressOut is an address as its owner sees it.
type AddressOut struct {
	ID string `json:"id"`
	AddressText
	Default   bool      `json:"isDefault"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

func addressOut(a Address) AddressOut {
	return AddressOut{ID: a.ID, AddressText: a.AddressText, Default: a.Default, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt}
}

func (s *Server) addresses() (Addresses, error) {
	if s.deps.People.Addresses == nil {
		return nil, errNotConfigured
	}
	return s.deps.People.Addresses, nil
}

func (s *Server) listAddresses(ctx context.Context, c *call, _ *struct{}) (reply, error) {
	rows, err := s.addresses()
	if err != nil {
		return reply{}, err
	}
	all, err := rows.List(ctx, c.user())
	out := make([]AddressOut, len(all))
	for i, a := range all {
		out[i] = addressOut(a)
	}
	return reply{data: out}, err
}

type addAddressInput struct {
	Body struct {
		AddressText
		Default bool `json:"isDefault,omitempty"`
	}
}

func (s *Server) addAddress(ctx context.Context, c *call, in *addAddressInput) (reply, error) {
	rows, err := s.addresses()
	if err != nil {
		return reply{}, err
	}
	a := Address{ID: c.newID("address"), Default: in.Body.Default, AddressText: in.Body.AddressText}
	if err := onOneLine(a.AddressText); err != nil {
		return reply{}, err
	}
	// A retry under the same key names the same address, which is there already.
	if _, there, err := rows.OfUser(ctx, c.user(), a.ID); err != nil || there {
		return s.showAddress(ctx, c, rows, a.ID, err)
	}
	err = rows.Add(ctx, c.user(), a)
	return s.showAddress(ctx, c, rows, a.ID, err)
}

func (s *Server) showAddress(ctx context.Context, c *call, rows Addresses, id string, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	a, ok, err := rows.OfUser(ctx, c.user(), id)
	if err == nil && !ok {
		err = fault.ErrNotFound
	}
	return reply{data: addressOut(a)}, err
}

// onOneLine refuses control characters: addresses are printed on labels and in letters.
func onOneLine(a AddressText) error {
	for field, text := range map[string]string{
		"label": a.Label, "fullName": a.FullName, "line1": a.Line1, "line2": a.Line2, "city": a.City, "region": a.Region, "postalCode": a.PostalCode,
	} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return fault.ErrValidation.At(field, "one line of text")
		}
	}
	return nil
}

type addressInput struct {
	ID string `path:"id"`
}

func (s *Server) getAddress(ctx context.Context, c *call, in *addressInput) (reply, error) {
	rows, err := s.addresses()
	if err != nil {
		return reply{}, err
	}
	return s.showAddress(ctx, c, rows, in.ID, nil)
}

type changeAddressInput struct {
	ID   string `path:"id"`
	Body struct {
		Label      *string `json:"label,omitempty" minLength:"1" maxLength:"60" pattern:"\\S"`
		FullName   *string `json:"fullName,omitempty" minLength:"1" maxLength:"200" pattern:"\\S"`
		Line1      *string `json:"line1,omitempty" minLength:"1" maxLength:"200" pattern:"\\S"`
		Line2      *string `json:"line2,omitempty" maxLength:"200"`
		City       *string `json:"city,omitempty" minLength:"1" maxLength:"100" pattern:"\\S"`
		Region     *string `json:"region,omitempty" maxLength:"100"`
		PostalCode *string `json:"postalCode,omitempty" minLength:"1" maxLength:"20" pattern:"\\S"`
		Country    *string `json:"country,omitempty" pattern:"^[A-Z]{2}$"`
		Phone      *string `json:"phone,omitempty" pattern:"^\\+[1-9][0-9]{6,14}$"`
		Default    bool    `json:"isDefault,omitempty" doc:"true makes it the default; another one becomes it in no other way"`
	}
}

func (s *Server) changeAddress(ctx context.Context, c *call, in *changeAddressInput) (reply, error) {
	return s.alterAddress(ctx, c, in.ID, func(a *Address) {
		b := in.Body
		for field, value := range map[*string]*string{
			&a.Label: b.Label, &a.FullName: b.FullName, &a.Line1: b.Line1, &a.Line2: b.Line2, &a.City: b.City,
			&a.Region: b.Region, &a.PostalCode: b.PostalCode, &a.Country: b.Country, &a.Phone: b.Phone,
		} {
			if value != nil {
				*field = *value
			}
		}
		a.Default = b.Default
	})
}

func (s *Server) defaultAddress(ctx context.Context, c *call, in *addressInput) (reply, error) {
	return s.alterAddress(ctx, c, in.ID, func(a *Address) { a.Default = true })
}

func (s *Server) alterAddress(ctx context.Context, c *call, id string, alter func(*Address)) (reply, error) {
	rows, err := s.addresses()
	if err != nil {
		return reply{}, err
	}
	a, ok, err := rows.OfUser(ctx, c.user(), id)
	if err != nil {
		return reply{}, err
	}
	if !ok {
		return reply{}, fault.ErrNotFound
	}
	alter(&a)
	if err := onOneLine(a.AddressText); err != nil {
		return reply{}, err
	}
	return s.showAddress(ctx, c, rows, id, rows.Change(ctx, c.user(), a))
}

func (s *Server) removeAddress(ctx context.Context, c *call, in *addressInput) (reply, error) {
	rows, err := s.addresses()
	if err != nil {
		return reply{}, err
	}
	if _, ok, err := rows.OfUser(ctx, c.user(), in.ID); err != nil || !ok {
		if err == nil {
			err = fault.ErrNotFound
		}
		return reply{}, err
	}
	orders, err := rows.Uses(ctx, in.ID)
	if err != nil {
		return reply{}, err
	}
	for _, id := range orders {
		order, _, err := eventstore.FreshState(ctx, s.deps.Executor, request.Decider, string(id))
		if err != nil {
			return reply{}, err
		}
		if underWay(order) {
			return reply{}, errAddressInUse.With("request", id)
		}
	}
	ok, err := rows.Remove(ctx, c.user(), in.ID)
	if err == nil && !ok {
		err = fault.ErrNotFound
	}
	return reply{data: Nothing{}}, err
}

// underWay reports whether an order may still be sent.
func underWay(r request.State) bool {
	return !slices.Contains([]string{"", request.Draft, request.CompletedPhase, request.CancelledPhase, request.ExpiredPhase}, r.Phase)
}

// deliverTo turns an address of the caller's into the text that the order keeps. rows go with
// the order's event.
func (s *Server) deliverTo(ctx context.Context, c *call, d *DeliveryIn, r domain.RequestID) (rows func() []eventstore.Row, err error) {
	if d == nil || d.AddressID == "" {
		return nil, nil
	}
	if d.Address != "" {
		return nil, fault.ErrValidation.At("deliveryInfo.addressId", "addressId or address, not both")
	}
	kept, err := s.addresses()
	if err != nil {
		return nil, err
	}
	a, ok, err := kept.OfUser(ctx, c.user(), d.AddressID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.ErrValidation.At("deliveryInfo.addressId", "no address of yours")
	}
	d.Address = oneText(a.AddressText)
	return func() []eventstore.Row { return kept.Used(a.ID, r) }, nil
}

// oneText is an address as it is written on a parcel.
func oneText(a AddressText) string {
	lines := []string{a.FullName, a.Line1, a.Line2, strings.TrimSpace(a.PostalCode + " " + a.City), a.Region, a.Country, a.Phone}
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return l == "" }), "\n")
}
