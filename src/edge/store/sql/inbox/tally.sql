-- inbox_tally
SELECT door AS word_1, state AS word_2, NULL AS word_3, COUNT(*) AS number
FROM inbox GROUP BY door, state LIMIT 1000
