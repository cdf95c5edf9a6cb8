-- api_key_list
SELECT k.id, s.code, k.label, k.created_at, k.revoked_at FROM api_key k JOIN source_system s ON s.id = k.source_id
ORDER BY k.created_at, k.id LIMIT 1000
