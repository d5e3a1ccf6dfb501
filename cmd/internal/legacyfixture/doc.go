// Package legacyfixture makes a believable database of the old backend: users, orders and their
// money in the shapes that docs/legacy/original.md describes, stories that agree with themselves,
// and dirt in a chosen proportion. Every document follows from the seed and its number alone, so
// that nothing is kept in memory and two runs write the same bytes.
//
// The truth that comes with it names each dirty document, what was done to it, and whether import
// must refuse it.
package legacyfixture
