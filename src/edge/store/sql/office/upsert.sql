-- office_upsert
INSERT INTO office (id, code, name, valid_from_at, valid_to_at, successor_id, account_id, sender_name, sender_phone, sender_line,
    sender_unit_set, sender_province_code, sender_commune_code, paper_first)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (code) DO UPDATE SET name = excluded.name, valid_from_at = excluded.valid_from_at, valid_to_at = excluded.valid_to_at,
    successor_id = excluded.successor_id, account_id = excluded.account_id, sender_name = excluded.sender_name,
    sender_phone = excluded.sender_phone, sender_line = excluded.sender_line, sender_unit_set = excluded.sender_unit_set,
    sender_province_code = excluded.sender_province_code, sender_commune_code = excluded.sender_commune_code,
    paper_first = excluded.paper_first
