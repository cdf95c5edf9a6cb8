-- poll_hint
-- A hint pulls the next look forward, never back. A look under way will be followed by another. What only ever brought
-- hints and never news is looked at less and less eagerly: a step for each look in vain, ten at most.
UPDATE poll SET hinted = 1, due_at = CASE
    WHEN due_at > $2 + $3 * (CASE WHEN fruitless > 10 THEN 10 ELSE fruitless END)
    THEN $2 + $3 * (CASE WHEN fruitless > 10 THEN 10 ELSE fruitless END)
    ELSE due_at END
WHERE shipment_id = $1
