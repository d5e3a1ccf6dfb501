package watchview

import (
	"strings"

	"holdfast/domain/destination"
	"holdfast/domain/outgoing"
	"holdfast/domain/payout"
	"holdfast/domain/refund"
)

// The kinds of transactions of ours.
const (
	Payout = "payout"
	Refund = "refund"
	Sweep  = "sweep"
)

const (
	// A payout is not bound to a chain before its instruction is built; chain 0 and no hash
	// keep the instruction until a signed transaction of it is known.
	instructSQL = `INSERT INTO watched_transactions (chain, hash, kind, id, transfer, state) VALUES (0, '', 'payout', $1, $2, 'signed')
		ON CONFLICT (chain, hash, kind, id) DO UPDATE SET transfer = excluded.transfer`
	signSQL = `INSERT INTO watched_transactions (chain, hash, kind, id, destination, transfer, state)
		SELECT (transfer->>'chain')::bigint, $2, 'payout', id, destination, transfer, $3 FROM watched_transactions
		WHERE kind = 'payout' AND id = $1 AND chain = 0
		ON CONFLICT (chain, hash, kind, id) DO UPDATE SET state = excluded.state`
	sendSQL = `UPDATE watched_transactions SET destination = $2, state = CASE WHEN chain = 0 THEN state ELSE 'sent' END
		WHERE kind = 'payout' AND id = $1`
	// mineSQL lets the others with the same nonce rest: they can only come back after a reorganisation.
	mineSQL = `UPDATE watched_transactions SET block = $4, block_hash = $5, state = CASE WHEN hash = $3 THEN 'mined' ELSE 'signed' END
		WHERE kind = $1 AND id = $2 AND chain <> 0`
	// failSQL lets what was sent be looked at for some time: a deep reorganisation may bring it back.
	failSQL = `WITH never AS (DELETE FROM watched_transactions WHERE kind = $1 AND id = $2 AND chain = 0)
		UPDATE watched_transactions SET state = 'failed', failed_at = $3, block = 0, block_hash = '' WHERE kind = $1 AND id = $2 AND chain <> 0`
	undoSQL  = `UPDATE watched_transactions SET state = 'sent', block = 0, block_hash = '' WHERE kind = $1 AND id = $2 AND chain <> 0`
	endSQL   = `DELETE FROM watched_transactions WHERE kind = $1 AND id = $2`
	refundTx = `INSERT INTO watched_transactions (chain, hash, kind, id, destination, state) VALUES ($1, $2, 'refund', $3, $4, 'sent')
		ON CONFLICT (chain, hash, kind, id) DO NOTHING`
	againSQL = `INSERT INTO watched_transactions (chain, hash, kind, id, destination, state)
		SELECT chain, $3, kind, id, destination, state FROM watched_transactions WHERE kind = 'refund' AND id = $1 AND hash = $2
		ON CONFLICT (chain, hash, kind, id) DO NOTHING`
	sweepTx = `INSERT INTO watched_transactions (chain, hash, kind, id, destination, transfer, raw, state)
		SELECT a.chain, $2, 'sweep', $3, $1, jsonb_build_object('chain', a.chain, 'from', a.address, 'nonce', $4::bigint, 'amount', $5::jsonb), $6, 'sent'
		FROM watched_addresses a WHERE a.destination = $1
		ON CONFLICT (chain, hash, kind, id) DO UPDATE SET state = 'sent'`
)

func (w *writer) payout(e payout.Event) {
	switch e := e.(type) {
	case payout.InstructionBuilt:
		w.do(instructSQL, w.id, e.Instruction)
	case payout.Signed:
		w.do(signSQL, w.id, outgoing.NormalHash(e.TxHash), "signed")
	case payout.Broadcast:
		w.do(sendSQL, w.id, string(e.Custody.Destination))
	case payout.Replaced:
		w.do(signSQL, w.id, outgoing.NormalHash(e.New), "sent")
	case payout.Confirmed:
		w.mined(Payout, e.Evidence)
	case payout.Reorged:
		w.do(undoSQL, Payout, w.id)
	case payout.Surfaced:
		w.mined(Payout, e.Evidence)
	case payout.Failed:
		w.do(failSQL, Payout, w.id, w.at)
	case payout.Cancelled, payout.Rejected, payout.DestinationChanged:
		w.do(endSQL, Payout, w.id)
	}
}

func (w *writer) refund(e refund.Event) {
	switch e := e.(type) {
	case refund.Broadcast:
		w.do(refundTx, int64(e.Tx.Chain), outgoing.NormalHash(e.Tx.Hash), w.id, string(e.Custody.Destination))
	case refund.Replaced:
		w.do(againSQL, w.id, outgoing.NormalHash(e.Old), outgoing.NormalHash(e.New))
	case refund.Confirmed:
		w.mined(Refund, e.Evidence)
	case refund.Reorged:
		w.do(undoSQL, Refund, w.id)
	case refund.Surfaced:
		w.mined(Refund, e.Evidence)
	case refund.Failed:
		w.do(failSQL, Refund, w.id, w.at)
	case refund.Cancelled:
		w.do(endSQL, Refund, w.id)
	}
}

func (w *writer) mined(kind string, m outgoing.Mined) {
	w.do(mineSQL, kind, w.id, outgoing.NormalHash(m.Tx), int64(m.Block), strings.ToLower(m.BlockHash))
}

func (w *writer) destination(e destination.Event) {
	switch e := e.(type) {
	case destination.Derived:
		w.do(`INSERT INTO watched_addresses (destination, chain, address, path, index) VALUES ($1, $2, $3, $4, $5)`,
			w.id, int64(e.Chain), e.Address, e.Path, int64(e.Index))
	case destination.Imported:
		w.do(`INSERT INTO watched_addresses (destination, chain, address, path, index) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			w.id, int64(e.Chain), e.Address, e.Path, int64(e.Index))
	case destination.OpeningMoved:
		if e.In {
			w.sweepable(string(e.Amount.Asset))
		}
	case destination.Funded:
		w.sweepable(string(e.Amount.Asset))
	case destination.SweepBroadcast:
		w.do(`DELETE FROM watched_sweeps WHERE destination = $1 AND asset = $2`, w.id, string(e.Amount.Asset))
		w.do(sweepTx, w.id, outgoing.NormalHash(e.Tx), string(e.Sweep), int64(e.Nonce), e.Amount, e.Raw)
	case destination.SweepConfirmed:
		w.do(`UPDATE watched_transactions SET state = 'mined', block = $2, block_hash = $3 WHERE kind = 'sweep' AND id = $1`,
			string(e.Sweep), int64(e.Block), strings.ToLower(e.BlockHash))
	case destination.SweepReorged:
		// The same signed transaction is expected in another block; nothing is swept anew.
		w.do(undoSQL, Sweep, string(e.Sweep))
	case destination.SweepFailed:
		w.do(failSQL, Sweep, string(e.Sweep), w.at)
		w.sweepable(string(e.Amount.Asset))
	case destination.SweepLost:
		w.do(failSQL, Sweep, string(e.Sweep), w.at)
		w.sweepable(string(e.Asset))
	}
}

func (w *writer) sweepable(asset string) {
	w.do(`INSERT INTO watched_sweeps (destination, asset) VALUES ($1, $2) ON CONFLICT DO NOTHING`, w.id, asset)
}
