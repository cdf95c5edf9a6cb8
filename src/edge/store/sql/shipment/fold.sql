-- shipment_fold
-- The folded columns, written together with the facts they follow from.
UPDATE shipment SET journal_sequence = $2, state = $3, contested = $4, partial = $5, held = $6, attempts = $7,
    visits = $8, failure_code = $9, last_event_at = $10, delivered_at = $11, custody = $12, handed_over_at = $13,
    collected_at = $14, without_handover = $15, closed = $16, updated_at = $17
WHERE id = $1
