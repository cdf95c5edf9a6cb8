-- refused_callback_count
INSERT INTO refused_callback (account_id, source, minute_at, count) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, source, minute_at) DO UPDATE SET count = refused_callback.count + excluded.count
RETURNING count
