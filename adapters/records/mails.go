package records

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"holdfast/domain"
	"holdfast/eventstore"
)

// MailChannel is notified when a letter waits.
const MailChannel = "holdfast_mail"

// The states of a letter. Skipped ones were optional and not wanted.
const (
	MailQueued  = "queued"
	MailSent    = "sent"
	MailDead    = "dead"
	MailSkipped = "skipped"
)

// Where the sealed texts of a letter stand.
const (
	letterPlace = "mails.letter"
	sentPlace   = "mails.sent"
)

// NewMail is a letter to be queued.
type NewMail struct {
	Key      string // the same key is queued once
	User     domain.UserID
	To       string
	Template string
	Vars     map[string]string
	Optional bool // not sent to who unsubscribed
	Unwanted bool // not sent at all: the person has said so in their preferences
}

// Mail is a letter that a worker has taken.
type Mail struct {
	ID       string
	Hash     string // of its key, in hex; its Message-ID is made of it
	To       string
	Template string
	Vars     map[string]string
	Attempts int // this one included
	MadeAt   time.Time
}

// MailRow is a letter in a list: nothing of its text.
type MailRow struct {
	ID       string
	UserID   domain.UserID // empty: an address of nobody here
	Template string
	Status   string
	Attempts int
	Error    string
	MadeAt   time.Time
	NextAt   time.Time
	DoneAt   *time.Time
}

// MailFilter narrows a list; empty fields do not. Before is a row's id.
type MailFilter struct {
	Status, Before string
	User           domain.UserID
}

// Mails is the queue of letters and the record of what was sent.
type Mails struct {
	pool   *pgxpool.Pool
	sealer eventstore.Sealer
	hashes KeyedHashes
}

// KeyedHashes names personal text without holding it.
type KeyedHashes interface {
	// Of gives the hash of text for a purpose, in 43 visible characters.
	Of(purpose, text string) string
}

// NewMails makes the queue over a migrated database.
func NewMails(pool *pgxpool.Pool, sealer eventstore.Sealer, hashes KeyedHashes) *Mails {
	return &Mails{pool, sealer, hashes}
}

// sealedLetter is what letterPlace holds.
type sealedLetter struct {
	To   string            `json:"to"`
	Vars map[string]string `json:"vars"`
}

// Put queues a letter; a key that is known changes nothing. An optional one to somebody who
// unsubscribed is noted as skipped and not kept.
func (s *Mails) Put(ctx context.Context, m NewMail) error {
	key, address := sha256.Sum256([]byte(m.Key)), s.Address(m.To)
	subject := m.User
	if subject == "" {
		subject = domain.UserID("address:" + address)
	}
	plain, err := json.Marshal(sealedLetter{m.To, m.Vars})
	if err != nil {
		return fmt.Errorf("encode a letter: %w", err)
	}
	sealed, err := s.sealer.Seal(ctx, subject, letterPlace, plain)
	if err != nil {
		return fmt.Errorf("seal a letter: %w", err)
	}
	_, err = s.pool.Exec(ctx, `WITH wanted AS (
			SELECT NOT ($9 OR $7 AND EXISTS (SELECT FROM mail_unsubscribed WHERE address_hash = $5)) AS send),
		put AS (
			INSERT INTO mails (id, key_hash, subject, user_id, address_hash, template, letter, status, done_at)
			SELECT $1, $2, $3, NULLIF($4, '')::uuid, $5, $6, CASE WHEN send THEN $8::bytea END,
				CASE WHEN send THEN 'queued' ELSE 'skipped' END, CASE WHEN NOT send THEN clock_timestamp() END FROM wanted
			ON CONFLICT (key_hash) DO NOTHING RETURNING status)
		SELECT pg_notify('`+MailChannel+`', '') FROM put WHERE status = 'queued'`,
		uuid.NewString(), key[:], string(subject), string(m.User), address, m.Template, m.Optional, sealed, m.Unwanted)
	return failed("queue a letter", err)
}

// Take hands out the letter that has waited longest and keeps others away from it for the
// lease; ok is false when none waits. Letters of people whose key is gone go with it.
func (s *Mails) Take(ctx context.Context, lease time.Duration) (m Mail, ok bool, err error) {
	for {
		var subject string
		var hash, sealed []byte
		err := s.pool.QueryRow(ctx, `WITH due AS (
				SELECT id FROM mails WHERE status = 'queued' AND next_at <= clock_timestamp()
				ORDER BY next_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
			UPDATE mails m SET attempts = attempts + 1, next_at = clock_timestamp() + $1::interval
			FROM due WHERE m.id = due.id
			RETURNING m.id::text, m.key_hash, m.subject, m.template, m.letter, m.attempts, m.made_at`, lease).
			Scan(&m.ID, &hash, &subject, &m.Template, &sealed, &m.Attempts, &m.MadeAt)
		if errors.Is(err, pgx.ErrNoRows) {
			return Mail{}, false, nil
		}
		if err != nil {
			return Mail{}, false, failed("take a letter", err)
		}
		plain, err := s.sealer.Open(ctx, domain.UserID(subject), letterPlace, sealed)
		if errors.Is(err, eventstore.ErrErased) {
			if _, err := s.pool.Exec(ctx, `DELETE FROM mails WHERE id = $1`, m.ID); err != nil {
				return Mail{}, false, failed("drop an erased person's letter", err)
			}
			continue
		}
		var l sealedLetter
		if err == nil {
			err = json.Unmarshal(plain, &l)
		}
		if err != nil {
			return Mail{}, false, fmt.Errorf("read letter %s: %w", m.ID, err)
		}
		m.Hash, m.To, m.Vars, m.MadeAt = hex.EncodeToString(hash[:16]), l.To, l.Vars, m.MadeAt.UTC()
		return m, true, nil
	}
}

// LastLetter is the template of the letter that says that a person was erased. It is forgotten
// with its key as soon as it is sent or given up: nothing about them is left then.
const LastLetter = "account-erased"

// forgetLast drops a last letter that is done; done is false for any other.
func (s *Mails) forgetLast(ctx context.Context, id string) (done bool, err error) {
	tag, err := s.pool.Exec(ctx, `WITH gone AS (DELETE FROM mails WHERE id = $1 AND template = '`+LastLetter+`' RETURNING subject, address_hash)
		DELETE FROM subject_keys k USING gone WHERE k.subject = gone.subject AND k.subject LIKE 'address:%'
		  AND NOT EXISTS (SELECT FROM mails m WHERE m.subject = gone.subject AND m.id <> $1)`, id)
	return tag.RowsAffected() > 0, failed("forget a last letter", err)
}

// Sent notes that a letter was taken by the server, and keeps its bytes.
func (s *Mails) Sent(ctx context.Context, id string, raw []byte) error {
	if done, err := s.forgetLast(ctx, id); done || err != nil {
		return err
	}
	var subject string
	if err := s.pool.QueryRow(ctx, `SELECT subject FROM mails WHERE id = $1`, id).Scan(&subject); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			return nil // its person was erased meanwhile
		}
		return failed("find a letter", err)
	}
	sealed, err := s.sealer.Seal(ctx, domain.UserID(subject), sentPlace, raw)
	if errors.Is(err, eventstore.ErrErased) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("seal a sent letter: %w", err)
	}
	_, err = s.pool.Exec(ctx, `UPDATE mails SET status = 'sent', letter = NULL, sent = $2, error = '', done_at = clock_timestamp()
		WHERE id = $1 AND status = 'queued'`, id, sealed)
	return failed("note a sent letter", err)
}

// Postpone tries a letter again after a while.
func (s *Mails) Postpone(ctx context.Context, id string, after time.Duration, reason string) error {
	_, err := s.pool.Exec(ctx, `UPDATE mails SET next_at = clock_timestamp() + $2::interval, error = $3 WHERE id = $1 AND status = 'queued'`, id, after, reason)
	return failed("postpone a letter", err)
}

// Dead gives a letter up; an operator may retry it.
func (s *Mails) Dead(ctx context.Context, id, reason string) error {
	if done, err := s.forgetLast(ctx, id); done || err != nil {
		return err
	}
	_, err := s.pool.Exec(ctx, `UPDATE mails SET status = 'dead', error = $2, done_at = clock_timestamp() WHERE id = $1 AND status = 'queued'`, id, reason)
	return failed("give a letter up", err)
}

// Retry queues a dead letter again; ok is false when there is no such one.
func (s *Mails) Retry(ctx context.Context, id string) (ok bool, err error) {
	tag, err := s.pool.Exec(ctx, `WITH again AS (
			UPDATE mails SET status = 'queued', attempts = 0, next_at = clock_timestamp(), done_at = NULL WHERE id = $1 AND status = 'dead' RETURNING id)
		SELECT pg_notify('`+MailChannel+`', '') FROM again`, id)
	return tag.RowsAffected() > 0, failed("retry a letter", err)
}

// Unsubscribe ends optional mail to the address with this hash.
func (s *Mails) Unsubscribe(ctx context.Context, address string) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO mail_unsubscribed (address_hash) VALUES ($1) ON CONFLICT DO NOTHING`, address)
	return failed("unsubscribe an address", err)
}

// Address is the keyed hash by which an address is known here.
func (s *Mails) Address(address string) string {
	return s.hashes.Of("mail to", strings.ToLower(strings.TrimSpace(address)))
}
