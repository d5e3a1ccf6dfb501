// Package safety judges whether money may be taken from, or sent to, an address. It asks nobody:
// adapters bring what the sources said, and this package makes one verdict of it. What is not
// surely clean is not clean: no answer stops a release as a hit does, and is asked for again.
//
//	stateDiagram-v2
//	  [*] --> Clean: screening.recorded
//	  [*] --> Flagged: screening.recorded
//	  [*] --> Unanswered: screening.recorded
//	  Clean --> Flagged: screening.recorded
package safety
