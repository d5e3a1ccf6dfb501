package http

import (
	"context"
	"encoding/json"
	"time"

	"holdfast/domain/fault"
	"holdfast/domain/request"
)

// RequestIn is what a buyer asks for.
type RequestIn struct {
	Title          string            `json:"title" minLength:"1" maxLength:"200" pattern:"\\S"`
	Description    string            `json:"description" minLength:"5" maxLength:"2000" pattern:"\\S"`
	CategoryID     string            `json:"categoryId" minLength:"1" maxLength:"64"`
	ProductType    string            `json:"productType" maxLength:"60" minLength:"1"`
	ProductLink    string            `json:"productLink,omitempty" maxLength:"500" format:"uri"`
	Size           string            `json:"size,omitempty" maxLength:"60"`
	Color          string            `json:"color,omitempty" maxLength:"60"`
	Brand          string            `json:"brand,omitempty" maxLength:"100"`
	Specifications []SpecificationIn `json:"specifications,omitempty" maxItems:"50"`
	Quantity       int               `json:"quantity,omitempty" minimum:"1" maximum:"1000000"`
	Budget         *BudgetIn         `json:"budget,omitempty"`
	Urgency        string            `json:"urgency,omitempty" enum:"low,medium,high,urgent"`
	Delivery       *DeliveryIn       `json:"deliveryInfo,omitempty"`
	Attachments    []string          `json:"attachments,omitempty" maxItems:"20"`
	ExpiresAt      time.Time         `json:"expiresAt,omitempty"`
}

// SpecificationIn is one wished property.
type SpecificationIn struct {
	Key   string `json:"key" minLength:"1" maxLength:"60"`
	Value string `json:"value" minLength:"1" maxLength:"200"`
	Label string `json:"label,omitempty" maxLength:"100"`
}

// BudgetIn is what the buyer thinks to spend.
type BudgetIn struct {
	Min      Decimal `json:"min,omitempty"`
	Max      Decimal `json:"max"`
	Currency string  `json:"currency" enum:"USD,EUR,IRR,TRY,USDT,USDC"`
}

// DeliveryIn says where the goods go.
type DeliveryIn struct {
	Type    string `json:"deliveryType" enum:"physical,online"`
	Address string `json:"address,omitempty" maxLength:"1000"`
	Email   string `json:"email,omitempty" maxLength:"254" format:"email"`
	// AddressID names one of the buyer's addresses; the order keeps its text as it is now.
	AddressID string `json:"addressId,omitempty" format:"uuid"`
}

type createRequestInput struct {
	Body struct {
		RequestIn
		PreferredSellers []string `json:"preferredSellerIds,omitempty" maxItems:"50" uniqueItems:"true"`
		Publish          bool     `json:"publish,omitempty" doc:"Show it to sellers at once"`
	}
}

// RequestPatch is a part of RequestIn; what is left out stays.
type RequestPatch struct {
	Title          string            `json:"title,omitempty" minLength:"1" maxLength:"200" pattern:"\\S"`
	Description    string            `json:"description,omitempty" minLength:"5" maxLength:"2000" pattern:"\\S"`
	CategoryID     string            `json:"categoryId,omitempty" minLength:"1" maxLength:"64"`
	ProductType    string            `json:"productType,omitempty" maxLength:"60" minLength:"1"`
	ProductLink    string            `json:"productLink,omitempty" maxLength:"500" format:"uri"`
	Size           string            `json:"size,omitempty" maxLength:"60"`
	Color          string            `json:"color,omitempty" maxLength:"60"`
	Brand          string            `json:"brand,omitempty" maxLength:"100"`
	Specifications []SpecificationIn `json:"specifications,omitempty" maxItems:"50"`
	Quantity       int               `json:"quantity,omitempty" minimum:"1" maximum:"1000000"`
	Budget         *BudgetIn         `json:"budget,omitempty"`
	Urgency        string            `json:"urgency,omitempty" enum:"low,medium,high,urgent"`
	Delivery       *DeliveryIn       `json:"deliveryInfo,omitempty"`
	Attachments    []string          `json:"attachments,omitempty" maxItems:"20"`
	ExpiresAt      time.Time         `json:"expiresAt,omitempty"`
}

type updateRequestInput struct {
	ID   string `path:"id"`
	Body RequestPatch
}

var errCategory = fault.New(fault.Rule, "CATEGORY_INACTIVE", "requests cannot be put in this category now")

// details turns a body into the domain's words; text about the buyer is personal.
func (s *Server) details(ctx context.Context, c *call, in RequestIn) (request.Details, error) {
	if s.deps.Categories != nil {
		active, err := s.deps.Categories.Active(ctx, in.CategoryID)
		if err != nil {
			return request.Details{}, err
		}
		if !active {
			return request.Details{}, errCategory.At("categoryId", "unknown or not active")
		}
	}
	d := request.Details{
		Title: in.Title, Description: c.about(in.Description), CategoryID: in.CategoryID, ProductType: in.ProductType,
		ProductLink: in.ProductLink, Size: in.Size, Color: in.Color, Brand: in.Brand, Quantity: max(1, in.Quantity),
		Urgency: in.Urgency, Attachments: in.Attachments, ExpiresAt: in.ExpiresAt.UTC(), DeliveryType: "physical",
	}
	if d.Urgency == "" {
		d.Urgency = "medium"
	}
	for _, spec := range in.Specifications {
		d.Specifications = append(d.Specifications, request.Spec(spec))
	}
	if in.Budget != nil {
		d.Budget = request.Budget{Min: string(in.Budget.Min), Max: string(in.Budget.Max), Currency: in.Budget.Currency}
	}
	if in.Delivery != nil {
		d.DeliveryType = in.Delivery.Type
		where, err := json.Marshal(in.Delivery)
		if err != nil {
			return d, err
		}
		d.Delivery = c.about(string(where))
	}
	return d, nil
}

// detailsOut is the way back, for a partial change.
func detailsOut(d request.Details) RequestIn {
	in := RequestIn{
		Title: d.Title, Description: d.Description.Text, CategoryID: d.CategoryID, ProductType: d.ProductType,
		ProductLink: d.ProductLink, Size: d.Size, Color: d.Color, Brand: d.Brand, Quantity: d.Quantity, Urgency: d.Urgency,
		Attachments: d.Attachments, ExpiresAt: d.ExpiresAt,
	}
	for _, spec := range d.Specifications {
		in.Specifications = append(in.Specifications, SpecificationIn(spec))
	}
	if d.Budget.Currency != "" {
		in.Budget = &BudgetIn{Min: Decimal(d.Budget.Min), Max: Decimal(d.Budget.Max), Currency: d.Budget.Currency}
	}
	var where DeliveryIn
	if json.Unmarshal([]byte(d.Delivery.Text), &where) == nil {
		in.Delivery = &where
	}
	return in
}
