// Package localredis opens the Redis of the configuration, or one inside the process when
// none is configured. No rule about money depends on what it holds.
package localredis
