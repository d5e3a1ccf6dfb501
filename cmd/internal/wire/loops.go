package wire

import "context"

// loops are the reactors that run beside the server.
func (s *Service) loops() []func(context.Context) error {
	return []func(context.Context) error{}
}
