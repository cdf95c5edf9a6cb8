-- personal_data_find
SELECT sealed FROM personal_data WHERE record_id = $1 AND field = $2
