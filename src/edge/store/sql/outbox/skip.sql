-- outbox_skip
UPDATE outbox SET state = 'skipped', ended_at = $2 WHERE id = $1 AND state = 'dead'
