package eventstore

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is a signed statement: the log of this origin had this root at this size.
type Checkpoint struct {
	Origin   string
	Position int64
	Root     []byte
	Note     []byte // the signed note itself
}

// originPrefix keeps our checkpoints apart from those of other programs signed with the same key.
const originPrefix = "holdfast/log/"

// Origin is the first line of a log's checkpoints.
func Origin(logID string) string { return originPrefix + logID }

// LogID gives the log that a checkpoint speaks of.
func (c Checkpoint) LogID() string { return strings.TrimPrefix(c.Origin, originPrefix) }

// Signer signs checkpoints with an Ed25519 key.
type Signer struct {
	signer   note.Signer
	verifier string
}

// ed25519Algorithm is the note format's only key type.
const ed25519Algorithm = 1

// NewSigner makes a signer from the 32-byte seed of an Ed25519 key. name goes into every
// signature line; it must not contain spaces or a plus sign.
func NewSigner(name string, seed []byte) (*Signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the signing key needs %d bytes, has %d", ed25519.SeedSize, len(seed))
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	verifier, err := note.NewEd25519VerifierKey(name, public)
	if err != nil {
		return nil, fmt.Errorf("make the verifier key: %w", err)
	}
	digest := sha256.Sum256(append([]byte(name+"\n"), append([]byte{ed25519Algorithm}, public...)...))
	secret := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, binary.BigEndian.Uint32(digest[:]),
		base64.StdEncoding.EncodeToString(append([]byte{ed25519Algorithm}, seed...)))
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, fmt.Errorf("make the signer: %w", err)
	}
	return &Signer{signer: signer, verifier: verifier}, nil
}

// VerifierKey is the public key in note form: what an auditor needs and may publish.
func (s *Signer) VerifierKey() string { return s.verifier }

// Sign gives the checkpoint of a log at a size.
func (s *Signer) Sign(logID string, position int64, root []byte) (Checkpoint, error) {
	c := Checkpoint{Origin: Origin(logID), Position: position, Root: root}
	text := fmt.Sprintf("%s\n%d\n%s\n", c.Origin, position, base64.StdEncoding.EncodeToString(root))
	var err error
	if c.Note, err = note.Sign(&note.Note{Text: text}, s.signer); err != nil {
		return Checkpoint{}, fmt.Errorf("sign checkpoint %d: %w", position, err)
	}
	return c, nil
}

// ParseCheckpoint verifies the signature of a checkpoint against a verifier key and reads it.
// Nothing of an unsigned or wrongly signed note is returned.
func ParseCheckpoint(signed []byte, verifierKey string) (Checkpoint, error) {
	verifier, err := note.NewVerifier(verifierKey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("read the verifier key: %w", err)
	}
	n, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("verify the checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 {
		return Checkpoint{}, fmt.Errorf("a checkpoint has three lines, this has %d", len(lines)-1)
	}
	if !strings.HasPrefix(lines[0], originPrefix) {
		return Checkpoint{}, fmt.Errorf("the note is signed, but not a checkpoint of ours: %q", lines[0])
	}
	position, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || position < 0 {
		return Checkpoint{}, fmt.Errorf("a checkpoint's size is a number, not %q", lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != hashSize {
		return Checkpoint{}, fmt.Errorf("a checkpoint's root is %d bytes in base64, not %q", hashSize, lines[2])
	}
	return Checkpoint{Origin: lines[0], Position: position, Root: root, Note: signed}, nil
}
