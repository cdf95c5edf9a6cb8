-- personal_data_delete
DELETE FROM personal_data WHERE record_id = $1
