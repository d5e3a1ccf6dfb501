package http

import "holdfast/domain"

// The original had two mounts for people, which diverged: PUT here, PATCH there. Every route
// below stands at both, and a change takes both verbs.
const (
	userPath  = "/api/user"
	usersPath = "/api/users"
)

// userRoute is a route at both mounts.
func userRoute(method, rest, summary string, roles []domain.Capacity, class Class, errors ...string) Route {
	return Route{
		Method: method, Path: userPath + rest, Aliases: []string{usersPath + rest}, Roles: roles, Class: class, Rate: RateGeneral,
		Summary: summary, Errors: errors,
	}
}

// bothVerbs registers a change under PATCH and PUT.
func bothVerbs(register func(method string) Route) []Route {
	return []Route{register("PATCH"), register("PUT")}
}

func status(code int, r Route) Route { r.Status = code; return r }

func viewing(r Route, views ...string) Route { r.Views = views; return r }
