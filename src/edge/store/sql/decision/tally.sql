-- decision_tally
SELECT kind AS word_1, state AS word_2, NULL AS word_3, COUNT(*) AS number
FROM decision GROUP BY kind, state LIMIT 1000
