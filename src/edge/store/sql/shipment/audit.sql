-- shipment_audit
SELECT id, short_number, source_id, account_id, reference, record_id, revision, receiving_office_id, deciding_office_id,
    sending_office_id, return_office_id, journal_sequence, state, contested, partial, held, attempts, visits, failure_code,
    last_event_at, delivered_at, custody, handed_over_at, collected_at, without_handover, closed, tracking_number,
    operator_id, charge_dong, cancel_case, unknown_code, heard_at, created_at, updated_at
FROM shipment WHERE id > $1 ORDER BY id LIMIT $2
