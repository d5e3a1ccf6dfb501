// Package request is a buyer's purchase request and, once an offer is selected, the order: from
// draft to completed. Whether a dispute is open is a flag beside the phase.
package request
