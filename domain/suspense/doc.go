// Package suspense keeps money that arrived and belongs to nobody yet: late, in the wrong asset,
// without a payment, or refused by a review. One stream a deposit; it is expired by nobody.
package suspense
