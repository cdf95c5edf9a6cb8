-- operator_state_lease_units
-- One loading at a time over all gateways.
UPDATE operator_state SET units_lease_until_at = $3
WHERE account_id = $1 AND (units_loaded_at IS NULL OR units_loaded_at <= $4)
    AND (units_lease_until_at IS NULL OR units_lease_until_at < $2)
