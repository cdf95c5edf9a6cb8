-- poll_forget
-- The next answer is read again although it may be the same.
UPDATE poll SET seen_digest = NULL WHERE shipment_id = $1
