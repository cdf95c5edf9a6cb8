-- search_token_delete
DELETE FROM search_token WHERE record_id = $1
