-- unit_sets
SELECT unit_set, MIN(valid_from_at) AS valid_from_at, COUNT(*) AS units FROM unit GROUP BY unit_set ORDER BY 2, 1
