-- shipment_audit
-- What the journal says too: the fixed columns but names and numbers, and every folded one.
SELECT id, source_id, account_id, record_id, revision, receiving_office_id, deciding_office_id, sending_office_id,
    return_office_id, journal_sequence, state, contested, partial, held, attempts, visits, failure_code, last_event_at,
    delivered_at, custody, handed_over_at, collected_at, without_handover, closed, created_at
FROM shipment WHERE id > $1 ORDER BY id LIMIT $2
