-- shipment_insert
INSERT INTO shipment (id, short_number, source_id, account_id, reference, record_id, revision, receiving_office_id,
    deciding_office_id, sending_office_id, return_office_id, journal_sequence, state, contested, partial, attempts, visits,
    custody, without_handover, closed, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, 0, 'queued', 0, 0, 0, 0, 'awaited', 0, 0, $11, $11)
