package domain

import "encoding/json"

// Personal is text about a person inside an event. The codec seals it with the key of the
// data subject before it is written; when that key is destroyed the text is gone from
// every copy, while the event's bytes and the log's proof stay as they are.
type Personal struct {
	Subject UserID
	Text    string
	// Sealed is the ciphertext as it stands in the log; set by the codec.
	Sealed []byte
	// Erased is true when the subject's key no longer exists; Text is empty then.
	Erased bool
}

// About makes personal text of a subject.
func About(subject UserID, text string) Personal { return Personal{Subject: subject, Text: text} }

type personalJSON struct {
	Subject UserID `json:"subject"`
	Text    string `json:"text,omitempty"`
	Sealed  []byte `json:"sealed,omitempty"`
	Erased  bool   `json:"erased,omitempty"`
}

// MarshalJSON writes the sealed form when there is one, and never both.
func (p Personal) MarshalJSON() ([]byte, error) {
	j := personalJSON(p)
	if len(p.Sealed) > 0 {
		j.Text = ""
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads either form.
func (p *Personal) UnmarshalJSON(b []byte) error {
	var j personalJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*p = Personal(j)
	return nil
}
