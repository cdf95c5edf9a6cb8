-- poll_hint
-- A hint pulls the next look forward, never back. A look under way will be followed by another.
UPDATE poll SET hinted = 1, due_at = CASE WHEN due_at > $2 THEN $2 ELSE due_at END WHERE shipment_id = $1
