-- office_by_code
SELECT id, code, name, valid_from_at, valid_to_at, successor_id, account_id, sender_name, sender_phone, sender_line, sender_unit_set,
    sender_province_code, sender_commune_code, paper_first
FROM office WHERE code = $1
