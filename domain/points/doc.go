// Package points is one user's loyalty account, in lots that expire oldest first.
package points
