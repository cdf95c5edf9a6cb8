-- api_key_by_hash
SELECT k.id, k.source_id, s.code, s.name, s.status_map FROM api_key k JOIN source_system s ON s.id = k.source_id
WHERE k.key_hash = $1 AND k.revoked_at IS NULL
