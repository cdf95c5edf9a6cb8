-- shipment_operator_words
-- What the operator told of the order. A known value is never overwritten by an unknown one.
UPDATE shipment SET tracking_number = COALESCE($2, tracking_number), operator_id = COALESCE($3, operator_id),
    charge_dong = COALESCE($4, charge_dong), heard_at = $5
WHERE id = $1
