-- poll_hint
-- A hint pulls the next look forward, never back. A look under way will be followed by another. What only ever brought
-- hints and never news is looked at less and less eagerly: a step for each look in vain, up to a number of them.
UPDATE poll SET hinted = 1, due_at = CASE
    WHEN due_at > $2 + $3 * (CASE WHEN fruitless > $4 THEN $4 ELSE fruitless END)
    THEN $2 + $3 * (CASE WHEN fruitless > $4 THEN $4 ELSE fruitless END)
    ELSE due_at END
WHERE shipment_id = $1
