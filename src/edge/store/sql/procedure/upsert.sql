-- procedure_upsert
INSERT INTO procedure (code, name, by_post, receiver_policy, takes_back_old) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, by_post = excluded.by_post, receiver_policy = excluded.receiver_policy,
    takes_back_old = excluded.takes_back_old
